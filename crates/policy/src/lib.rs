//! Who may do what, and why.
//!
//! IAM allow policies as Google evaluates them: a [`Policy`] is attached to a resource ([`Attached`]), its bindings give
//! members a role, a role holds permissions ([`Roles`]), and what a container grants reaches everything below it.
//! [`decide`] answers one question, whether an [`Identity`] has a permission, and says which binding granted it. A
//! denial names its nearest miss: the binding that would have granted, but for the letter case of a member, a project
//! id in place of the number, a condition that was false.
//!
//! Granting is quick and does not depend on how many members a policy has: members are indexed when a policy is
//! attached. Reasons are looked for only when nothing granted.
//!
//! Sources: principal identifiers (<https://cloud.google.com/iam/docs/principal-identifiers>), policies
//! (<https://cloud.google.com/iam/docs/policies>), conditions
//! (<https://cloud.google.com/iam/docs/conditions-attribute-reference>), deny policies
//! (<https://cloud.google.com/iam/docs/deny-overview>), roles (public exports of Google's role definitions).
//!
//! ```
//! use tokenrig_policy::{Attached, Attributes, Binding, Directory, Identity, Policy, Request, Roles, decide};
//!
//! let orders = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";
//! let policy = Policy::of([Binding::of("roles/run.invoker", ["user:alice@shop.example"])]);
//! let policies = [std::sync::Arc::new(Attached::new(orders, policy))];
//!
//! let may = |email: &str| {
//!     let identity = Identity::User { email: email.into(), id: "1".into() };
//!     let verdict = decide(
//!         &Request {
//!             identity: &identity,
//!             permission: "run.routes.invoke",
//!             resource: orders,
//!             policies: &policies,
//!             denials: &[],
//!             directory: &Directory::default(),
//!             attributes: &Attributes::default(),
//!             elsewhere: None,
//!         },
//!         &Roles::default(),
//!     );
//!     verdict.check(&identity, "run.routes.invoke")
//! };
//! assert!(may("alice@shop.example").ok());
//! assert!(may("bob@shop.example").mending().unwrap().contains("roles/run.invoker"));
//! ```

mod attach;
mod attributes;
mod boundary;
mod catalogue;
mod condition;
mod decide;
mod deny;
mod directory;
mod document;
mod explain;
mod identity;
mod member;
mod miss;
mod permissions;
mod pool;
mod roles;

pub use crate::{
    attach::Attached,
    attributes::Attributes,
    boundary::{AccessBoundary, BoundaryNear, BoundaryRule, NotABoundary, Outside, Reach},
    decide::{Denial, Grant, Request, Verdict, decide, granted, test},
    deny::{DenyPolicy, DenyRule},
    directory::Directory,
    document::{Binding, Condition, NotAPolicy, Policy},
    explain::Explanation,
    identity::Identity,
    member::{Member, NotAMember, PoolSet},
    miss::{FailedCondition, Miss, Near, near},
    pool::PoolRef,
    roles::{Role, Roles, Stage},
};
