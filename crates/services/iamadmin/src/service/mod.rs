//! The methods, a file per resource.

mod accounts;
mod apps;
mod keys;
mod operations;
mod org_policies;
mod organizations;
mod pools;
mod projects;
mod provider_rules;
mod providers;
mod roles;
mod services;
mod workforce_pools;
mod workforce_providers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenrig_clock::Timestamp;
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::prost_types;
use tokenrig_wire::{Api, Call, Page, UnknownToken, page, refusals as common};

use crate::{assumptions::Settings, refusals};

/// The administration of one cloud. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Admin {
    inner: Arc<Inner>,
}

struct Inner {
    cloud: Cloud,
    settings: Settings,
    operations: Mutex<operations::Ring>,
    roles: Mutex<roles::Histories>,
}

pub(crate) fn api(cloud: &Cloud, settings: Settings) -> Api {
    let inner = Inner {
        cloud: cloud.clone(),
        operations: Mutex::new(operations::Ring::of(settings.operations)),
        settings,
        roles: Mutex::default(),
    };
    let admin = Admin { inner: Arc::new(inner) };
    let api = Api::new();
    let api = accounts::methods(api, &admin);
    let api = keys::methods(api, &admin);
    let api = roles::methods(api, &admin);
    let api = pools::methods(api, &admin);
    let api = providers::methods(api, &admin);
    let api = workforce_pools::methods(api, &admin);
    let api = workforce_providers::methods(api, &admin);
    let api = projects::methods(api, &admin);
    let api = organizations::methods(api, &admin);
    let api = org_policies::methods(api, &admin);
    let api = apps::methods(api, &admin);
    services::methods(api, &admin)
}

impl Admin {
    fn cloud(&self) -> &Cloud {
        &self.inner.cloud
    }

    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    fn operations(&self) -> MutexGuard<'_, operations::Ring> {
        self.inner.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn histories(&self) -> MutexGuard<'_, roles::Histories> {
        self.inner.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value that must be there. `check` says what was expected and found, and the answer where it is missing.
fn need<T>(
    call: &Call,
    value: Option<T>,
    check: impl FnOnce(Check) -> Check,
    name: &'static str,
) -> Result<T, Refused> {
    let check = check(Check::named(name).holds(value.is_some()));
    match value {
        Some(value) => call.check(check).map(|()| value),
        None => Err(refuse(call, check)),
    }
}

/// Adds a check that failed and gives its answer.
fn refuse(call: &Call, check: Check) -> Refused {
    let answer = check.refused().cloned();
    let given = call.check(check).err();
    given.or(answer).unwrap_or_else(|| common::INTERNAL.refuse("api-internal"))
}

/// The check `request` of one field, with the answer that names it. To be told what holds.
fn field(id: &'static str, field: &str, what: &str, holds: bool) -> Check {
    Check::named("request")
        .expected(what)
        .holds(holds)
        .or_refuse(&refusals::FIELD_INVALID, id)
        .with("field", field)
        .with("what", what)
        .mend(|| format!("correct `{field}`: {what}"))
}

/// A use of a played method that the rig does not have.
fn unplayed(call: &Call, what: &str) -> Refused {
    let check = Check::named("request").found(what).holds(false);
    refuse(call, check.or_refuse(&refusals::UNPLAYED, "iam-use-unplayed").with("what", what))
}

/// The page of a list that a request asks for.
fn paged<T>(
    call: &Call,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> &str,
    (size, token): (i32, &str),
    (default, most): (usize, usize),
) -> Result<Page<T>, Refused> {
    let page: Result<Page<T>, UnknownToken> = page(items, key, size, token, default, most);
    let check = |check: Check| {
        check
            .expected("a page token of this list")
            .found(token)
            .or_refuse(&refusals::FIELD_INVALID, "iam-page-token-invalid")
            .with("field", "page_token")
            .with("what", "it is no token of this list")
            .mend(|| "send the `nextPageToken` of the page before as it came".to_owned())
    };
    need(call, page.ok(), check, "request")
}

fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// The paths of a mask in proto spelling, `display_name`; clients send either spelling.
fn mask_paths(mask: Option<&prost_types::FieldMask>) -> Vec<String> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    paths.iter().map(|path| snake(path)).collect()
}

fn snake(path: &str) -> String {
    let mut snake = String::with_capacity(path.len() + 4);
    for c in path.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
