//! What differs between the doors of Cloud Run and of Cloud Functions: the checks are the same.

use tokenrig_decision::{Check, Refusal};

use crate::refusals;

/// A refusal with the id that it is given under.
type Answer = (&'static Refusal, &'static str);

/// A kind of door: under which words it decides, what opens it, how it refuses.
#[derive(Debug)]
pub(crate) struct Entrance {
    /// The surface word of its decisions.
    pub(crate) surface: &'static str,
    /// The permission that opens it.
    pub(crate) permission: &'static str,
    /// A role that has it.
    pub(crate) role: &'static str,
    pub(crate) no_credential: Answer,
    pub(crate) unverifiable: Answer,
    pub(crate) expired: Answer,
    pub(crate) denied: Answer,
    pub(crate) not_found: Answer,
    pub(crate) ingress: Answer,
    pub(crate) user_without_invoker: Answer,
    pub(crate) user_not_found: Answer,
    /// Whether the front end keeps `/healthz` to itself.
    pub(crate) keeps_healthz: bool,
}

/// A service at its own addresses.
pub(crate) static RUN: Entrance = Entrance {
    surface: "cloud-run-front",
    permission: "run.routes.invoke",
    role: "roles/run.invoker",
    no_credential: (&refusals::NO_CREDENTIAL, "run-front-no-credential"),
    unverifiable: (&refusals::TOKEN_UNVERIFIABLE, "run-front-token-unverifiable"),
    expired: (&refusals::TOKEN_UNVERIFIABLE, "run-front-expired-token"),
    denied: (&refusals::PERMISSION_DENIED, "run-front-permission-denied"),
    not_found: (&refusals::NOT_FOUND, "run-front-not-found"),
    ingress: (&refusals::NOT_FOUND, "run-front-ingress-not-allowed"),
    user_without_invoker: (&refusals::TOKEN_UNVERIFIABLE, "run-front-user-without-invoker"),
    user_not_found: (&refusals::NOT_FOUND, "run-front-user-not-found"),
    keeps_healthz: true,
};

/// A function of the first generation.
pub(crate) static FIRST: Entrance =
    Entrance { permission: "cloudfunctions.functions.invoke", role: "roles/cloudfunctions.invoker", ..function() };

/// A function of the second generation at the address that it has as a function: its service decides.
pub(crate) static SECOND: Entrance = function();

const fn function() -> Entrance {
    Entrance {
        surface: "cloud-functions",
        permission: "run.routes.invoke",
        role: "roles/run.invoker",
        no_credential: (&refusals::FUNCTION_NO_CREDENTIAL, "functions-front-no-credential"),
        unverifiable: (&refusals::FUNCTION_TOKEN_UNVERIFIABLE, "functions-front-token-unverifiable"),
        expired: (&refusals::FUNCTION_TOKEN_UNVERIFIABLE, "functions-front-expired-token"),
        denied: (&refusals::FUNCTION_PERMISSION_DENIED, "functions-front-permission-denied"),
        not_found: (&refusals::FUNCTION_NOT_FOUND, "functions-front-not-found"),
        ingress: (&refusals::FUNCTION_NOT_FOUND, "functions-front-ingress-not-allowed"),
        user_without_invoker: (&refusals::FUNCTION_TOKEN_UNVERIFIABLE, "functions-front-user-without-invoker"),
        user_not_found: (&refusals::FUNCTION_NOT_FOUND, "functions-front-user-not-found"),
        keeps_healthz: false,
    }
}

/// The check with this answer if it fails.
pub(crate) fn or(check: Check, (refusal, id): Answer, path: &str) -> Check {
    check.or_refuse(refusal, id).with("path", path)
}
