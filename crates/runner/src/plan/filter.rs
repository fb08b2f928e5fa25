//! Which cases are meant.

use std::{collections::HashSet, str::FromStr};

use crate::events::CaseId;

/// One `--filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Somewhere in `THEME/NAME › CASE`, the title or the file, in any letter case.
    Text(String),
    /// One of the scenario's tags.
    Tag(String),
    /// The scenario's folder.
    Theme(String),
    /// The case of this name. Where a scenario has none, that of this name in any letter case; where it has none of
    /// these either, those with it somewhere in their names.
    Case(String),
}

/// What filters may ask of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Traits<'s> {
    tags: Vec<&'s str>,
    cases: HashSet<&'s str>,
    /// The same in lower case.
    lower: HashSet<String>,
}

impl<'s> Traits<'s> {
    /// The tags of a scenario and the names of its cases.
    #[must_use]
    pub(crate) fn new(tags: impl IntoIterator<Item = &'s str>, cases: impl IntoIterator<Item = &'s str>) -> Self {
        let cases: HashSet<&str> = cases.into_iter().collect();
        let lower = cases.iter().map(|case| case.to_lowercase()).collect();
        Self { tags: tags.into_iter().collect(), cases, lower }
    }
}

impl FromStr for Filter {
    type Err = std::convert::Infallible;

    /// `tag:X`, `theme:X`, `case:X`, or any text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("tag", tag)) => Self::Tag(tag.trim().to_owned()),
            Some(("theme", theme)) => Self::Theme(theme.trim().to_owned()),
            Some(("case", case)) => Self::Case(case.to_owned()),
            _ => Self::Text(text.to_lowercase()),
        })
    }
}

impl Filter {
    /// Whether a case of a scenario is meant.
    #[must_use]
    pub(crate) fn takes(&self, id: &CaseId, scenario: &Traits<'_>) -> bool {
        match self {
            Self::Tag(tag) => scenario.tags.iter().any(|known| known.eq_ignore_ascii_case(tag)),
            Self::Theme(theme) => id
                .scenario
                .rsplit_once('/')
                .is_some_and(|(folder, _)| folder == theme || folder.rsplit('/').next() == Some(theme)),
            Self::Case(case) => {
                if scenario.cases.contains(case.as_str()) {
                    return id.name() == case;
                }
                let (name, case) = (id.name().to_lowercase(), case.trim().to_lowercase());
                if scenario.lower.contains(&case) { name == case } else { name.contains(&case) }
            }
            Self::Text(text) => {
                id.to_string().to_lowercase().contains(text)
                    || id.title.to_lowercase().contains(text)
                    || id.file.to_string_lossy().to_lowercase().contains(text)
            }
        }
    }
}

/// One of several equal parts of a run: `--shard I/N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

/// A text that is no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; write `I/N` with I from 1 to N, for example `2/4`")]
pub struct ShardFault(String);

impl FromStr for Shard {
    type Err = ShardFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if index >= 1usize && index <= count => Ok(Self { index, count }),
            _ => Err(ShardFault(text.to_owned())),
        }
    }
}

impl Shard {
    /// Whether the case of this number (from 0) is in it.
    #[must_use]
    pub fn takes(self, number: usize) -> bool {
        number % self.count == self.index - 1
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("name in place", true)]
    #[case("FEDERATION/", true)]
    #[case("federation/cloud-run › the service", true)]
    #[case("a private", true)]
    #[case("tag:cloudrun", true)]
    #[case("tag:sts", false)]
    #[case("theme:federation", true)]
    #[case("theme:learn", false)]
    #[case("case:in place of its URL", true)]
    #[case("case:federation", false)]
    #[case("billing", false)]
    fn a_filter_takes_what_it_names(#[case] filter: &str, #[case] taken: bool) {
        let id = CaseId {
            scenario: "federation/cloud-run".to_owned(),
            file: "scenarios/federation/cloud-run.yaml".into(),
            title: "A workload calls a private service".to_owned(),
            case: Some("the service's name in place of its URL".to_owned()),
            repeat: None,
        };
        let filter: Filter = filter.parse().unwrap();
        let scenario = Traits::new(["federation", "cloudrun"], ["the service's name in place of its URL"]);
        assert_eq!(filter.takes(&id, &scenario), taken);
    }

    #[test]
    fn a_whole_name_means_just_that_case() {
        let id = |case: &str| CaseId { case: Some(case.to_owned()), ..CaseId::default() };
        let filter: Filter = "case:one".parse().unwrap();
        assert!(filter.takes(&id("one"), &Traits::new([], ["one", "one more"])));
        assert!(!filter.takes(&id("one more"), &Traits::new([], ["one", "one more"])));
        assert!(filter.takes(&id("one more"), &Traits::new([], ["one more", "two"])));
        let both = Traits::new([], ["one", "One"]);
        assert!(filter.takes(&id("one"), &both) && !filter.takes(&id("One"), &both));
        assert!(filter.takes(&id("One"), &Traits::new([], ["One", "one more"])));
    }

    #[test]
    fn every_case_is_in_exactly_one_shard() {
        let shards: Vec<Shard> = (1..=3).map(|index| format!("{index}/3").parse().unwrap()).collect();
        for number in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(number)).count(), 1);
        }
    }

    #[rstest]
    #[case("0/3")]
    #[case("4/3")]
    #[case("1")]
    #[case("1/0")]
    #[case("a/b")]
    fn what_is_no_shard_says_so(#[case] text: &str) {
        assert!(text.parse::<Shard>().is_err());
    }
}
