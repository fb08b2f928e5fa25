//! The way from the caller to the account, by way of delegates.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_cloud::ServiceAccount;
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::{Attributes, Identity};
use tokenrig_wire::Call;

use super::{IamCredentials, demand};
use crate::{
    assumptions::MOST_DELEGATES,
    model::{AccountName, names_an_account},
    refusals,
};

/// What each account of the way but the last must grant to the one before it.
const IMPLICIT_DELEGATION: &str = "iam.serviceAccounts.implicitDelegation";

/// A method's permission, and the id under which its refusal is known.
pub(super) struct Needs {
    pub(super) permission: &'static str,
    pub(super) denied: &'static str,
}

/// Who takes a step of the way.
pub(super) enum Who {
    /// The caller, within the access boundary of its token.
    Caller,
    /// The account before, whom no token speaks for.
    Delegate(Identity),
}

/// The accounts of a request, by their names: the delegates in order, then the target.
pub(super) struct Way(Vec<String>);

impl IamCredentials {
    /// The names of a request: well formed, and with `-` for the project.
    pub(super) fn way(call: &Call, name: &str, delegates: &[String]) -> Result<Way, Refused> {
        if delegates.len() > MOST_DELEGATES {
            let expected = format!("at most {MOST_DELEGATES} delegates");
            call.check(demand(false, "iamcredentials-delegates-too-many", &expected, delegates.len()))?;
        }
        // Some clients name delegates by their addresses alone.
        let delegates = delegates.iter().map(|name| AccountName::parse(name).unwrap_or(AccountName::bare(name)));
        let target = AccountName::parse(name).unwrap_or(AccountName::bare(name));
        let names: Vec<AccountName<'_>> = delegates.chain([target]).collect();
        for name in &names {
            Self::named(call, *name)?;
        }
        Ok(Way(names.iter().map(|name| name.account.to_owned()).collect()))
    }

    fn named(call: &Call, name: AccountName<'_>) -> Result<(), Refused> {
        const FORM: &str = "projects/-/serviceAccounts/EMAIL_OR_UNIQUE_ID";
        let found = format!("projects/{}/serviceAccounts/{}", name.project, name.account);
        let wildcard = demand(name.project == "-", "iamcredentials-project-not-wildcard", FORM, found.as_str());
        if !wildcard.ok() {
            return call.check(wildcard);
        }
        call.check(
            Check::named("request")
                .expected(FORM)
                .found(found)
                .holds(names_an_account(name.account))
                .or_refuse(&refusals::ACCOUNT_ID_MALFORMED, "iamcredentials-account-id-malformed")
                .with("account", name.account)
                .mend(|| "name the account by its e-mail address or its unique id".to_owned()),
        )
    }

    /// May the caller act as the last account of the way? First every permission, then every account.
    pub(super) fn act_as(&self, call: &Call, way: &Way, needs: &Needs) -> Result<Arc<ServiceAccount>, Refused> {
        let accounts: Vec<_> = way.0.iter().map(|name| self.cloud.accounts().get(name)).collect();
        let mut answer = Ok(());
        let mut who = Some(Who::Caller);
        for (at, (name, account)) in way.0.iter().zip(&accounts).enumerate() {
            let (permission, denied) = if at + 1 == way.0.len() {
                (needs.permission, needs.denied)
            } else {
                (IMPLICIT_DELEGATION, "iamcredentials-implicitdelegation-denied")
            };
            // Beyond an account that does not exist nobody can be asked.
            if let Some(who) = &who {
                answer = answer.and(self.permitted(call, who, permission, name, denied));
            }
            who = account.as_ref().map(|account| Who::Delegate(account.identity()));
        }
        for (name, account) in way.0.iter().zip(&accounts) {
            answer = answer.and(call.check(works(name, account.as_deref())));
        }
        let target = accounts.into_iter().next_back().flatten();
        // A way without an account has been refused above.
        let missing = || refusals::ACCOUNT_NOT_FOUND.refuse("iamcredentials-account-not-found");
        answer.and_then(|()| target.ok_or_else(missing))
    }

    /// The check `permission` of one step of the way.
    pub(super) fn permitted(
        &self,
        call: &Call,
        who: &Who,
        permission: &'static str,
        account: &str,
        denied: &'static str,
    ) -> Result<(), Refused> {
        let resource = format!("//iam.googleapis.com/projects/-/serviceAccounts/{account}");
        let (identity, verdict) = match who {
            Who::Caller => (&call.caller().identity, call.verdict(permission, &resource)),
            Who::Delegate(identity) => {
                let attributes = Attributes::at(call.now());
                (identity, self.cloud.permit_identity(identity, permission, &resource, &attributes))
            }
        };
        call.check(
            verdict
                .check(identity, permission)
                .or_refuse(&refusals::PERMISSION_DENIED, denied)
                .with("permission", permission),
        )
    }
}

/// The check `resource`: the account is there and not disabled.
pub(super) fn works(name: &str, account: Option<&ServiceAccount>) -> Check {
    let check = Check::named("resource").expected("a service account that exists and is not disabled");
    match account {
        None => check
            .found(Value::Null)
            .holds(false)
            .or_refuse(&refusals::ACCOUNT_NOT_FOUND, "iamcredentials-account-not-found")
            .with("account", name)
            .mend(|| format!("create the service account {name}, or name one that exists")),
        Some(account) => check
            .found(json!({ "email": account.email, "uniqueId": account.unique_id, "disabled": account.disabled }))
            .holds(!account.disabled)
            .or_refuse(&refusals::ACCOUNT_DISABLED, "iamcredentials-account-disabled")
            .with("account", name)
            .mend(|| format!("enable the service account {}", account.email)),
    }
}
