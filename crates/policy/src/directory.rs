//! Groups of Google accounts.

use std::collections::{BTreeMap, BTreeSet};

/// Who is in which group. Members and groups are e-mail addresses; case does not matter. A group may be in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The groups that a member is directly in.
    of: BTreeMap<String, BTreeSet<String>>,
}

impl Directory {
    /// Puts a member (user, service account or group) into a group.
    pub fn join(&mut self, group: &str, member: &str) {
        self.of.entry(member.to_ascii_lowercase()).or_default().insert(group.to_ascii_lowercase());
    }

    /// Every group that `email` is in, through other groups too; lower case.
    #[must_use]
    pub fn groups(&self, email: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let direct = |member: &str| self.of.get(member).into_iter().flatten().map(String::as_str);
        let mut look_at: Vec<&str> =
            if self.of.is_empty() { vec![] } else { direct(&email.to_ascii_lowercase()).collect() };
        while let Some(group) = look_at.pop() {
            if found.insert(group) {
                look_at.extend(direct(group));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_a_group_in_a_group_is_in_both_even_if_they_hold_each_other() {
        let mut directory = Directory::default();
        directory.join("sales@shop.example", "Alice@shop.example");
        directory.join("all@shop.example", "sales@shop.example");
        directory.join("sales@shop.example", "all@shop.example");
        assert_eq!(directory.groups("alice@SHOP.example"), BTreeSet::from(["all@shop.example", "sales@shop.example"]));
        assert!(directory.groups("bob@shop.example").is_empty());
    }
}
