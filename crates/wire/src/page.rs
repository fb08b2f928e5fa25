//! Lists in pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one starts; empty on the last.
    pub next: String,
}

/// A page token that this list did not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownToken;

impl std::fmt::Display for UnknownToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the page token is not one of this list")
    }
}

impl std::error::Error for UnknownToken {}

/// Cuts a page out of `items`, which are in order of their keys. A page starts after the key that the token holds, so that items
/// that come or go between two pages shift nothing.
///
/// `size` is `page_size` of the request: `default` if it is 0 or less, at most `max`.
///
/// # Errors
///
/// [`UnknownToken`].
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> &str,
    size: i32,
    token: &str,
    default: usize,
    max: usize,
) -> Result<Page<T>, UnknownToken> {
    let after = match token {
        "" => String::new(),
        token => {
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| UnknownToken)?;
            String::from_utf8(bytes).map_err(|_| UnknownToken)?
        }
    };
    let size = usize::try_from(size).ok().filter(|size| *size > 0).unwrap_or(default).min(max).max(1);
    let mut rest = items.into_iter().filter(|item| after.is_empty() || key(item) > after.as_str());
    let items: Vec<T> = rest.by_ref().take(size).collect();
    let next = match (rest.next(), items.last()) {
        (Some(_), Some(last)) => URL_SAFE_NO_PAD.encode(key(last)),
        _ => String::new(),
    };
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_whatever_comes_or_goes() {
        let cut = |items: &[&'static str], size, token: &str| page(items.to_vec(), |item| item, size, token, 2, 3);
        let first = cut(&["a", "b", "c", "d"], 0, "").unwrap();
        assert_eq!(first.items, ["a", "b"]);
        let second = cut(&["a", "bb", "c", "d"], 100, &first.next).unwrap();
        assert_eq!(second.items, ["bb", "c", "d"]);
        assert_eq!(second.next, "");
        assert_eq!(cut(&["a"], 1, "%"), Err(UnknownToken));
    }
}
