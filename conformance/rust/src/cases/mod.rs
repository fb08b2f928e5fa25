//! The cases, a file per theme.

mod federation;
mod refusals;
mod tokens;
mod walk_through;

use std::sync::Arc;

use google_cloud_auth::credentials::Credentials;
use google_cloud_iam_credentials_v1::client::IAMCredentials;

use crate::{
    stage::Stage,
    verdict::{Case, Outcome, Well as _},
};

pub fn all(stage: &Arc<Stage>) -> Vec<Case> {
    let mut all = walk_through::cases(stage);
    all.extend(federation::cases(stage));
    all.extend(tokens::cases(stage));
    all.extend(refusals::cases(stage));
    all
}

/// A case, from a function of the stage.
fn case<F>(
    stage: &Arc<Stage>,
    client: (&'static str, &'static str),
    path: &str,
    name: &str,
    trial: impl FnOnce(Arc<Stage>) -> F,
) -> Case
where
    F: Future<Output = Outcome> + 'static,
{
    Case { client, path: path.to_owned(), name: name.to_owned(), trial: Box::pin(trial(Arc::clone(stage))) }
}

async fn client(credentials: Credentials) -> Outcome<IAMCredentials> {
    IAMCredentials::builder().with_credentials(credentials).build().await.well()
}

fn deployer(stage: &Stage) -> String {
    format!("projects/-/serviceAccounts/{}", stage.deployer)
}
