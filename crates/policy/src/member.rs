//! Principals as policies write them.

use std::fmt;

use crate::pool::PoolRef;

/// A member of a binding: every form that Google's principal identifiers know in allow policies (v1), and, read by
/// [`parse_deny`](Member::parse_deny), the forms of deny policies (v2) that mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Member {
    /// `allUsers`: everybody, known or not.
    AllUsers,
    /// `allAuthenticatedUsers`: users and service accounts of Google, no federated identity.
    AllAuthenticatedUsers,
    /// `user:EMAIL`. Case does not matter.
    User(String),
    /// `serviceAccount:EMAIL`. Case does not matter.
    ServiceAccount(String),
    /// `serviceAccount:PROJECT.svc.id.goog[NAMESPACE/NAME]`: a Kubernetes service account, the older form.
    Kubernetes {
        /// The cluster's project.
        project: String,
        /// The Kubernetes namespace.
        namespace: String,
        /// The Kubernetes service account.
        name: String,
    },
    /// `group:EMAIL`. Case does not matter.
    Group(String),
    /// `domain:DOMAIN`. Case does not matter.
    Domain(String),
    /// `principal://iam.googleapis.com/POOL/subject/VALUE`: the value is all that follows, slashes too.
    Subject(PoolRef, String),
    /// `principalSet://iam.googleapis.com/POOL/…`: some identities of a pool.
    Set(PoolRef, PoolSet),
    /// `principalSet://cloudresourcemanager.googleapis.com/CONTAINER/type/ServiceAccount`: the service accounts of
    /// `projects/N`, `folders/N` or `organizations/N`.
    AccountsOf(String),
    /// `deleted:KIND:EMAIL?uid=ID` or `deleted:principal://…`: somebody who is gone. It matches nobody.
    Deleted {
        /// What it was, without `deleted:` and `?uid=…`.
        was: String,
        /// The unique id, if one stands there.
        uid: Option<String>,
    },
    /// `projectOwner:ID`, `projectEditor:ID`, `projectViewer:ID`: who has the basic role on the project.
    ProjectRole {
        /// `roles/owner`, `roles/editor` or `roles/viewer`.
        role: &'static str,
        /// The project's id.
        project: String,
    },
}

/// Some identities of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PoolSet {
    /// `group/VALUE`: those whose `google.groups` holds the value.
    Group(String),
    /// `attribute.NAME/VALUE`: those whose mapped attribute has the value.
    Attribute {
        /// The attribute's name, without `attribute.`.
        name: String,
        /// Its value.
        value: String,
    },
    /// `*`: all of them, by whichever provider.
    All,
}

/// Why a text is no member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no principal identifier: {why}")]
pub struct NotAMember {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

const PRINCIPAL: &str = "principal://iam.googleapis.com/";
const PRINCIPAL_SET: &str = "principalSet://iam.googleapis.com/";
const CONTAINER: &str = "principalSet://cloudresourcemanager.googleapis.com/";

impl Member {
    /// Reads a member of an allow policy.
    ///
    /// # Errors
    ///
    /// [`NotAMember`] if it has none of the known forms. What is well formed but can match nobody (a project id in
    /// place of the number, a pool that does not exist) is a member.
    pub fn parse(text: &str) -> Result<Self, NotAMember> {
        parse(text).map_err(|why| NotAMember { text: text.to_owned(), why })
    }

    /// Reads a principal of a deny policy.
    ///
    /// # Errors
    ///
    /// [`NotAMember`] if it has none of the known forms.
    pub fn parse_deny(text: &str) -> Result<Self, NotAMember> {
        let email = |email: &str| (!email.is_empty()).then(|| email.to_owned());
        let known = if text == "principalSet://goog/public:all" {
            Some(Self::AllUsers)
        } else if let Some(rest) = text.strip_prefix("principal://goog/subject/") {
            email(rest).map(Self::User)
        } else if let Some(rest) = text.strip_prefix("principalSet://goog/group/") {
            email(rest).map(Self::Group)
        } else if let Some(rest) = text.strip_prefix("principal://iam.googleapis.com/projects/-/serviceAccounts/") {
            email(rest).map(Self::ServiceAccount)
        } else if text.starts_with("principal") || text.starts_with("deleted:principal") {
            return Self::parse(text);
        } else {
            None
        };
        known
            .ok_or_else(|| NotAMember { text: text.to_owned(), why: "deny policies have principals of their own form" })
    }
}

fn parse(text: &str) -> Result<Member, &'static str> {
    match text {
        "allUsers" => return Ok(Member::AllUsers),
        "allAuthenticatedUsers" => return Ok(Member::AllAuthenticatedUsers),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix(PRINCIPAL) {
        let (pool, rest) = PoolRef::parse_prefix(rest).ok_or("it does not go on with the name of an identity pool")?;
        return match rest.strip_prefix("/subject/") {
            Some("") => Err("the subject is empty"),
            Some(subject) => Ok(Member::Subject(pool, subject.to_owned())),
            None => Err("after the pool comes `/subject/VALUE`; groups and attributes are written `principalSet://`"),
        };
    }
    if let Some(rest) = text.strip_prefix(PRINCIPAL_SET) {
        let (pool, rest) = PoolRef::parse_prefix(rest).ok_or("it does not go on with the name of an identity pool")?;
        return pool_set(rest).map(|set| Member::Set(pool, set));
    }
    if let Some(rest) = text.strip_prefix(CONTAINER) {
        let container =
            rest.strip_suffix("/type/ServiceAccount").ok_or("it does not end with `/type/ServiceAccount`")?;
        let known = ["projects/", "folders/", "organizations/"]
            .iter()
            .any(|kind| container.strip_prefix(kind).is_some_and(|id| !id.is_empty() && !id.contains('/')));
        return if known { Ok(Member::AccountsOf(container.to_owned())) } else { Err("the container is unknown") };
    }
    if let Some(rest) = text.strip_prefix("deleted:") {
        return deleted(rest);
    }
    let (kind, value) = text.split_once(':').ok_or("it has no kind, such as `user:` or `serviceAccount:`")?;
    if value.is_empty() {
        return Err("nothing follows its kind");
    }
    if value.contains(char::is_whitespace) {
        return Err("there is a space in it");
    }
    let owned = || value.to_owned();
    match kind {
        "user" => Ok(Member::User(owned())),
        "group" => Ok(Member::Group(owned())),
        "domain" => Ok(Member::Domain(owned())),
        "serviceAccount" => Ok(kubernetes(value).unwrap_or_else(|| Member::ServiceAccount(owned()))),
        "projectOwner" => Ok(Member::ProjectRole { role: "roles/owner", project: owned() }),
        "projectEditor" => Ok(Member::ProjectRole { role: "roles/editor", project: owned() }),
        "projectViewer" => Ok(Member::ProjectRole { role: "roles/viewer", project: owned() }),
        _ => Err("its kind is unknown"),
    }
}

fn pool_set(rest: &str) -> Result<PoolSet, &'static str> {
    if rest == "/*" {
        return Ok(PoolSet::All);
    }
    if let Some(group) = rest.strip_prefix("/group/") {
        return if group.is_empty() { Err("the group is empty") } else { Ok(PoolSet::Group(group.to_owned())) };
    }
    if let Some(attribute) = rest.strip_prefix("/attribute.") {
        return match attribute.split_once('/') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(PoolSet::Attribute { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("an attribute is written `attribute.NAME/VALUE`"),
        };
    }
    Err("after the pool comes `/group/VALUE`, `/attribute.NAME/VALUE` or `/*`; one subject is written `principal://`")
}

fn deleted(rest: &str) -> Result<Member, &'static str> {
    let (was, uid) = match rest.rsplit_once("?uid=") {
        Some((was, uid)) if !uid.is_empty() => (was, Some(uid.to_owned())),
        _ => (rest, None),
    };
    match parse(was)? {
        Member::User(_) | Member::ServiceAccount(_) | Member::Group(_) | Member::Subject(..) | Member::Set(..) => {
            Ok(Member::Deleted { was: was.to_owned(), uid })
        }
        _ => Err("only users, service accounts, groups and federated principals can be deleted"),
    }
}

fn kubernetes(value: &str) -> Option<Member> {
    let (project, inside) = value.split_once(".svc.id.goog[")?;
    let (namespace, name) = inside.strip_suffix(']')?.split_once('/')?;
    Some(Member::Kubernetes { project: project.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
}

/// The form of allow policies.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllUsers => f.write_str("allUsers"),
            Self::AllAuthenticatedUsers => f.write_str("allAuthenticatedUsers"),
            Self::User(email) => write!(f, "user:{email}"),
            Self::ServiceAccount(email) => write!(f, "serviceAccount:{email}"),
            Self::Kubernetes { project, namespace, name } => {
                write!(f, "serviceAccount:{project}.svc.id.goog[{namespace}/{name}]")
            }
            Self::Group(email) => write!(f, "group:{email}"),
            Self::Domain(domain) => write!(f, "domain:{domain}"),
            Self::Subject(pool, subject) => write!(f, "{PRINCIPAL}{pool}/subject/{subject}"),
            Self::Set(pool, PoolSet::Group(group)) => write!(f, "{PRINCIPAL_SET}{pool}/group/{group}"),
            Self::Set(pool, PoolSet::Attribute { name, value }) => {
                write!(f, "{PRINCIPAL_SET}{pool}/attribute.{name}/{value}")
            }
            Self::Set(pool, PoolSet::All) => write!(f, "{PRINCIPAL_SET}{pool}/*"),
            Self::AccountsOf(container) => write!(f, "{CONTAINER}{container}/type/ServiceAccount"),
            Self::Deleted { was, uid: Some(uid) } => write!(f, "deleted:{was}?uid={uid}"),
            Self::Deleted { was, uid: None } => write!(f, "deleted:{was}"),
            Self::ProjectRole { role, project } => {
                let kind = match *role {
                    "roles/owner" => "projectOwner",
                    "roles/editor" => "projectEditor",
                    _ => "projectViewer",
                };
                write!(f, "{kind}:{project}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const POOL: &str = "iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/partners";
    const WORKFORCE: &str = "iam.googleapis.com/locations/global/workforcePools/staff";

    #[rstest]
    #[case::everybody("allUsers")]
    #[case::known_to_google("allAuthenticatedUsers")]
    #[case::user("user:alice@shop.example")]
    #[case::account("serviceAccount:caller@shop-test.iam.gserviceaccount.com")]
    #[case::kubernetes("serviceAccount:shop-test.svc.id.goog[orders/worker]")]
    #[case::group("group:sales@shop.example")]
    #[case::domain("domain:shop.example")]
    #[case::subject(&format!("principal://{POOL}/subject/repo:org/name:ref:refs/heads/main"))]
    #[case::pool_group(&format!("principalSet://{POOL}/group/sales/eu"))]
    #[case::attribute(&format!("principalSet://{POOL}/attribute.repository/org/name"))]
    #[case::whole_pool(&format!("principalSet://{POOL}/*"))]
    #[case::workforce_subject(&format!("principal://{WORKFORCE}/subject/alice"))]
    #[case::workforce_pool(&format!("principalSet://{WORKFORCE}/*"))]
    #[case::project_id(
        "principal://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/p/subject/a"
    )]
    #[case::accounts_of_a_project("principalSet://cloudresourcemanager.googleapis.com/projects/7/type/ServiceAccount")]
    #[case::deleted("deleted:serviceAccount:gone@shop-test.iam.gserviceaccount.com?uid=107145139691231222712")]
    #[case::deleted_principal(&format!("deleted:principal://{POOL}/subject/alice"))]
    #[case::owners("projectOwner:shop-test")]
    fn a_member_reads_and_writes_back_the_same(#[case] text: &str) {
        assert_eq!(Member::parse(text).unwrap().to_string(), text);
    }

    #[rstest]
    #[case::no_kind("alice@shop.example")]
    #[case::unknown_kind("person:alice@shop.example")]
    #[case::nothing_after_the_kind("user:")]
    #[case::space("user: alice@shop.example")]
    #[case::subject_as_set(&format!("principalSet://{POOL}/subject/alice"))]
    #[case::group_as_principal(&format!("principal://{POOL}/group/sales"))]
    #[case::star_not_at_the_end(&format!("principalSet://{POOL}/*/x"))]
    #[case::attribute_without_value(&format!("principalSet://{POOL}/attribute.department"))]
    #[case::workforce_with_project(
        "principal://iam.googleapis.com/projects/7/locations/global/workforcePools/p/subject/a"
    )]
    #[case::provider_in_between(&format!("principal://{POOL}/providers/x/subject/a"))]
    #[case::deleted_everybody("deleted:allUsers")]
    fn what_has_no_known_form_is_no_member(#[case] text: &str) {
        assert!(Member::parse(text).is_err());
    }

    #[test]
    fn a_deny_principal_means_the_same_somebody() {
        let read = |text| Member::parse_deny(text).unwrap();
        assert_eq!(read("principalSet://goog/public:all"), Member::AllUsers);
        assert_eq!(read("principal://goog/subject/a@b.c"), Member::User("a@b.c".into()));
        assert_eq!(read("principalSet://goog/group/g@b.c"), Member::Group("g@b.c".into()));
        let account = read("principal://iam.googleapis.com/projects/-/serviceAccounts/s@p.iam.gserviceaccount.com");
        assert_eq!(account, Member::ServiceAccount("s@p.iam.gserviceaccount.com".into()));
        assert!(matches!(read(&format!("principalSet://{POOL}/*")), Member::Set(_, PoolSet::All)));
        assert!(Member::parse_deny("user:a@b.c").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_and_writes_back_the_same(text in "(allUsers|user:|deleted:|serviceAccount:|principal(Set)?://iam.googleapis.com/)?(projects/[a-z0-9]{0,3}/locations/global/workloadIdentityPools/p)?\\PC{0,40}") {
            if let Ok(member) = Member::parse(&text) {
                prop_assert_eq!(member.to_string(), text);
            }
        }
    }
}
