//! Who calls.

use std::collections::BTreeMap;

use crate::{
    member::{Member, PoolSet},
    pool::PoolRef,
};

/// Somebody whose credential was verified, or nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// No credential.
    Anonymous,
    /// A Google account.
    User {
        /// Its e-mail address.
        email: String,
        /// Its Google id, digits.
        id: String,
    },
    /// A service account.
    ServiceAccount {
        /// Its e-mail address.
        email: String,
        /// Its unique id, 21 digits.
        unique_id: String,
        /// The number of its project.
        project_number: String,
    },
    /// Somebody of an identity pool, by the attributes that the exchange mapped.
    Federated {
        /// The pool; of a workload pool the project is its number.
        pool: PoolRef,
        /// `google.subject`.
        subject: String,
        /// `google.groups`.
        groups: Vec<String>,
        /// `attribute.NAME`, by NAME.
        attributes: BTreeMap<String, String>,
        /// The resource name of the provider that the token was exchanged at.
        provider: String,
    },
}

impl Identity {
    /// The identity as a policy member: what to write into a binding that means exactly this one.
    /// [`Anonymous`](Identity::Anonymous) is `allUsers`.
    #[must_use]
    pub fn member(&self) -> Member {
        match self {
            Self::Anonymous => Member::AllUsers,
            Self::User { email, .. } => Member::User(email.clone()),
            Self::ServiceAccount { email, .. } => Member::ServiceAccount(email.clone()),
            Self::Federated { pool, subject, .. } => Member::Subject(pool.clone(), subject.clone()),
        }
    }

    /// The text of [`member`](Self::member).
    #[must_use]
    pub fn as_member(&self) -> String {
        match self {
            Self::User { email, .. } => ["user:", email].concat(),
            Self::ServiceAccount { email, .. } => ["serviceAccount:", email].concat(),
            Self::Anonymous | Self::Federated { .. } => self.member().to_string(),
        }
    }

    /// Every member form that names this identity by itself or by a set, the narrowest first. Groups and domains of
    /// Google accounts are the directory's to tell.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let mut all = Vec::new();
        match self {
            Self::Anonymous => {}
            Self::User { email, .. } => {
                all.push(Member::User(email.clone()));
                if let Some((_, domain)) = email.rsplit_once('@') {
                    all.push(Member::Domain(domain.to_owned()));
                }
                all.push(Member::AllAuthenticatedUsers);
            }
            Self::ServiceAccount { email, project_number, .. } => {
                all.push(Member::ServiceAccount(email.clone()));
                all.push(Member::AccountsOf(format!("projects/{project_number}")));
                all.push(Member::AllAuthenticatedUsers);
            }
            Self::Federated { pool, subject, groups, attributes, .. } => {
                all.push(Member::Subject(pool.clone(), subject.clone()));
                let set = |set| Member::Set(pool.clone(), set);
                all.extend(groups.iter().map(|group| set(PoolSet::Group(group.clone()))));
                all.extend(
                    attributes
                        .iter()
                        .map(|(name, value)| set(PoolSet::Attribute { name: name.clone(), value: value.clone() })),
                );
                all.push(set(PoolSet::All));
            }
        }
        all.push(Member::AllUsers);
        all
    }

    /// The e-mail address, where there is one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::User { email, .. } | Self::ServiceAccount { email, .. } => Some(email),
            Self::Anonymous | Self::Federated { .. } => None,
        }
    }
}
