# What the suites in shell share. A case is a function: it fails by `fail`, `is` or `has`, which say why.
# shellcheck shell=sh

failures=0

# One case, as a line of JSON: PATH, NAME, and the command that tries it. Uses $client and $version.
attempt() {
  if why=$("$3" 2>&1); then ok=true; else ok=false failures=1; fi
  # Of what was said, whatever JSON does not take as it is.
  why=$(printf %s "$why" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/ /g' | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }' | tr -d '\000-\037')
  printf '{"client":"%s","version":"%s","path":"%s","case":"%s","ok":%s,"why":"%s"}\n' \
    "$client" "$version" "$1" "$2" "$ok" "$why"
}

fail() {
  printf '%s\n' "$1"
  exit 1
}

# FOUND, WANTED, WHAT
is() {
  [ "$1" = "$2" ] || fail "$3 is \`$1\`, not \`$2\`"
}

# TEXT, WORDS
has() {
  case $1 in
    *"$2"*) ;;
    *) fail "\`$2\` is not in: $1" ;;
  esac
}

# The value of a string member of JSON text, wherever it stands: TEXT, NAME
member() {
  printf %s "$1" | tr -d '\n' | sed -n "s/.*\"$2\": *\"\([^\"]*\)\".*/\1/p"
}
