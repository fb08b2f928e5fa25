//! A written member against the identity that it may be meant for.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokenrig_jose::Map;
use tokenrig_policy::{Identity, Member, Near, PoolSet, near};
use tokenrig_sts::Reading;

use super::{OfProject, Written};

/// A written member, and how it stands to the identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What is written.
    pub written: Written,
    /// How it stands.
    pub verdict: Verdict,
}

/// How a written member stands to the identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It names it, by this member.
    Names(String),
    /// It does not, for these reasons.
    Misses {
        /// What is wrong, the words for it; at least one.
        why: Vec<Why>,
        /// The member of the identity that would have to stand there.
        meant: Option<String>,
        /// What to do.
        help: String,
    },
}

/// Why a member does not name the identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// As decisions say it.
    Near(Near, String),
    /// It is spelt as members are not.
    Spelling(String),
    /// The text is no member.
    NoMember(String),
    /// The token has no `google.subject`, so nothing names it.
    Nobody,
}

impl Why {
    /// The word for it in JSON.
    fn word(&self) -> &'static str {
        match self {
            Self::Near(near, _) => near.word(),
            Self::Spelling(_) => "spelling",
            Self::NoMember(_) => "malformed",
            Self::Nobody => "no-subject",
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Near(_, text) | Self::Spelling(text) | Self::NoMember(text) => text,
            Self::Nobody => "the token names nobody",
        }
    }
}

impl Judged {
    /// How far it is from naming the identity: first those that do, then the nearest.
    pub(super) fn distance(&self) -> (usize, Option<Near>, usize) {
        match &self.verdict {
            Verdict::Names(_) => (0, None, 0),
            Verdict::Misses { why, .. } => {
                let near = why.iter().map(|why| match why {
                    Why::Near(near, _) => Some(*near),
                    Why::Spelling(_) => Some(Near::LetterCase),
                    Why::NoMember(_) | Why::Nobody => None,
                });
                // Of several things that are wrong the farthest counts.
                match near.collect::<Option<Vec<Near>>>() {
                    Some(near) => (1, near.into_iter().max(), why.len()),
                    None => (2, None, why.len()),
                }
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let Written { resource, role, member, condition, at } = &self.written;
        let mut told =
            json!({ "resource": resource, "role": role, "member": member, "condition": condition, "at": at });
        match &self.verdict {
            Verdict::Names(own) => {
                told["names"] = true.into();
                told["by"] = own.as_str().into();
            }
            Verdict::Misses { why, meant, help } => {
                told["names"] = false.into();
                told["why"] = why.iter().map(|why| json!({ "word": why.word(), "text": why.text() })).collect();
                told["meant"] = json!(meant);
                told["help"] = help.as_str().into();
            }
        }
        told
    }
}

/// Whether a member may be meant for a federated identity, however it is written.
pub(super) fn may_mean(member: &str) -> bool {
    let lower = member.to_ascii_lowercase();
    let pools = ["principal", "workloadidentitypools", "iam.googleapis.com", "allusers", "allauthenticatedusers"];
    pools.iter().any(|word| lower.contains(word))
}

/// Ways in which people write a member, besides those that decisions know: what is rewritten, and how.
type Rewrite = (Option<Near>, &'static str, fn(&str, &OfProject<'_>) -> Option<String>);

const REWRITES: &[Rewrite] = &[
    (Some(Near::ProjectIdForNumber), "the project's id stands where its number belongs", |text, project| {
        let (id, number) = (format!("projects/{}/", project.id), format!("projects/{}/", project.number));
        text.contains(&id).then(|| text.replacen(&id, &number, 1))
    }),
    (Some(Near::ProviderNamed), "it names the provider: principals belong to the pool", |text, _| {
        let (pool, rest) = text.split_once("/providers/")?;
        Some(format!("{pool}/{}", rest.split_once('/')?.1))
    }),
    (Some(Near::PrincipalForSet), "`principal://` and `principalSet://` are mixed up", |text, _| {
        match text.strip_prefix("principal://") {
            Some(rest) => Some(format!("principalSet://{rest}")),
            None => text.strip_prefix("principalSet://").map(|rest| format!("principal://{rest}")),
        }
    }),
    (None, "it is percent-encoded, and members are written as they are", |text, _| {
        let decoded = percent_decode_str(text).decode_utf8().ok()?;
        (decoded != text).then(|| decoded.into_owned())
    }),
    (None, "it begins like a URL or an audience, not with `principal://` or `principalSet://`", |text, _| {
        let rest = ["https://", "//"].iter().find_map(|start| text.strip_prefix(start))?;
        let scheme = if rest.contains("/subject/") { "principal" } else { "principalSet" };
        Some(format!("{scheme}://{rest}"))
    }),
    (None, "a whole pool is written with `/*` at its end", |text, _| {
        let pool = text
            .strip_prefix("principalSet://iam.googleapis.com/")
            .or(text.strip_prefix("principal://iam.googleapis.com/"))?;
        let pool = pool.trim_end_matches('/');
        tokenrig_policy::PoolRef::parse(pool).map(|pool| format!("principalSet://iam.googleapis.com/{pool}/*"))
    }),
];

pub(super) fn judge(written: Written, reading: &Reading, claims: &Map, project: &OfProject<'_>) -> Judged {
    let verdict = match &reading.identity {
        None => nobody(&written.member),
        Some(identity) => verdict(&written.member, identity, reading, claims, project),
    };
    Judged { written, verdict }
}

/// Of a token without subject nothing can be said but that everybody is everybody.
fn nobody(member: &str) -> Verdict {
    if member == "allUsers" {
        return Verdict::Names(member.to_owned());
    }
    let help = "map `google.subject` to a claim that the token has".to_owned();
    Verdict::Misses { why: vec![Why::Nobody], meant: None, help }
}

fn verdict(member: &str, identity: &Identity, reading: &Reading, claims: &Map, project: &OfProject<'_>) -> Verdict {
    let own = identity.members();
    let named = |text: &str| Member::parse(text).is_ok_and(|member| own.contains(&member));
    if named(member) {
        return Verdict::Names(member.to_owned());
    }
    // What would name it, or nearly, if one or two things were written right.
    let mut texts: Vec<(Vec<Why>, String)> = vec![(Vec::new(), member.to_owned())];
    for round in 0..2 {
        for at in 0..texts.len() {
            let Some((before, text)) = texts.get(at).cloned() else { continue };
            if before.len() != round {
                continue;
            }
            for (near, words, rewrite) in REWRITES {
                let done = before.iter().any(|why| why.text() == *words);
                if let Some(rewritten) = rewrite(&text, project).filter(|_| !done) {
                    let mut why = before.clone();
                    let words = (*words).to_owned();
                    why.push(near.map_or_else(|| Why::Spelling(words.clone()), |near| Why::Near(near, words.clone())));
                    texts.push((why, rewritten));
                }
            }
        }
    }
    for (why, text) in &texts {
        if named(text) {
            return misses(why.clone(), Some(text.clone()), member);
        }
        if let Some((near, Some(meant))) = near(text, identity).filter(|(near, _)| decisive(*near)) {
            let mut why = why.clone();
            // A rewriting that says the same already stands there.
            if !why.iter().any(|known| matches!(known, Why::Near(said, _) if *said == near)) {
                why.push(Why::Near(near, words(near)));
            }
            return misses(why, Some(meant), member);
        }
    }
    if let Err(fault) = Member::parse(member) {
        let help =
            format!("Google refuses it in a policy; members of this token are written like `{}`", identity.as_member());
        return Verdict::Misses {
            why: vec![Why::NoMember(format!("it is no member: {}", fault.why))],
            meant: None,
            help,
        };
    }
    let (near, meant) = near(member, identity).unwrap_or((Near::OtherMember, None));
    if near == Near::AttributeNotMapped {
        return not_mapped(member, meant, reading, claims);
    }
    let help = match (near, &meant) {
        (Near::FederatedNotAuthenticated, _) => format!("add `{}`", identity.as_member()),
        (Near::OtherValue, Some(meant)) => format!("add `{meant}`, or send a token with the value that is written"),
        (Near::OtherPool, Some(meant)) => format!("add `{meant}`, or exchange the token in the pool that is written"),
        _ => format!("add `{}`, or a set that it belongs to", identity.as_member()),
    };
    let meant = meant.filter(|_| !matches!(near, Near::OtherMember | Near::FederatedNotAuthenticated));
    Verdict::Misses { why: vec![Why::Near(near, words(near))], meant, help }
}

/// Whether this alone keeps the member from naming the identity.
fn decisive(near: Near) -> bool {
    matches!(
        near,
        Near::LetterCase
            | Near::Space
            | Near::ProjectIdForNumber
            | Near::PrincipalForSet
            | Near::ProviderNamed
            | Near::KeyValueSwapped
            | Near::Deleted
    )
}

fn misses(why: Vec<Why>, meant: Option<String>, written: &str) -> Verdict {
    let help = match &meant {
        Some(meant) => format!("write `{meant}` in place of `{written}`"),
        None => String::new(),
    };
    Verdict::Misses { why, meant, help }
}

fn words(near: Near) -> String {
    match near {
        Near::LetterCase => "letter case: the case of letters matters",
        Near::Space => "a space stands at an end of it",
        Near::ProjectIdForNumber => "the project's id stands where its number belongs",
        Near::PrincipalForSet => "`principal://` and `principalSet://` are mixed up",
        Near::ProviderNamed => "it names the provider: principals belong to the pool",
        Near::KeyValueSwapped => "the attribute's name and its value are swapped: it is `attribute.NAME/VALUE`",
        Near::Deleted => "it names somebody who was deleted",
        Near::FederatedNotAuthenticated => "`allAuthenticatedUsers` leaves out federated identities",
        Near::OtherPool => "another pool, with the same value",
        Near::OtherValue => "another value",
        Near::AttributeNotMapped => "an attribute that is not mapped",
        _ => "somebody else",
    }
    .to_owned()
}

/// The attribute of a member is not mapped, or its mapping gives this token no value.
fn not_mapped(member: &str, meant: Option<String>, reading: &Reading, claims: &Map) -> Verdict {
    let (attribute, claim) = match Member::parse(member) {
        Ok(Member::Set(_, PoolSet::Attribute { name, .. })) => (format!("attribute.{name}"), name),
        _ => ("google.groups".to_owned(), "groups".to_owned()),
    };
    let line = reading.mapping.iter().find(|line| line.attribute == attribute);
    let (why, help) = match line.map(|line| &line.from) {
        Some(from) => {
            let cause = match &from.value {
                Err(why) => why.clone(),
                Ok(value) => format!("its mapping gives {value}"),
            };
            let help = format!("send a token for which `{}` has a value, or change the mapping", from.expression);
            (format!("`{attribute}` has no value for this token: {cause}"), help)
        }
        None => {
            // The names that are mapped, in case it was meant to be one of them.
            let known = reading.mapping.iter().map(|line| line.attribute.as_str());
            let similar = known.map(|known| (known, strsim::osa_distance(known, &attribute)));
            let similar = similar.filter(|(_, distance)| *distance <= 2).min_by_key(|(_, distance)| *distance);
            let from =
                if claims.contains_key(&claim) { format!("assertion.{claim}") } else { "assertion.CLAIM".to_owned() };
            let help = match (&meant, similar) {
                (Some(meant), _) => {
                    format!("write `{meant}` in place of `{member}`: the token has the value under that name")
                }
                (None, Some((known, _))) => format!(
                    "did you mean `{known}`? Else add `{attribute}: {from}` to the provider's `attributeMapping`"
                ),
                (None, None) => format!("add `{attribute}: {from}` to the provider's `attributeMapping`"),
            };
            (format!("`{attribute}` is not mapped by the provider"), help)
        }
    };
    Verdict::Misses { why: vec![Why::Near(Near::AttributeNotMapped, why)], meant, help }
}
