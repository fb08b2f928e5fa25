//! `explain token --at`: a token shown to a door of a rig that holds what a given document says.

mod again;
mod told;

use std::{io, time::Duration};

use serde_json::json;
use tokenrig_decision::Record;
use tokenrig_offline::RigSite;
use tokenrig_runner::{Protocol, Request, Site as _, redact};

pub(crate) use self::told::Told;
use crate::{
    arguments::{Explain, Standing},
    inherited,
    places::{self, Place},
    run::look,
    standing, tell,
};

/// How long the door may take, in real time.
const DEADLINE: Duration = Duration::from_secs(30);
/// Where assertions of service accounts become tokens.
const TOKEN_ENDPOINTS: [&str; 2] =
    ["https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"];

/// Exit codes: 0 if the door lets it in, 1 if not, 2 if the call or the given document is wrong, 3 if no rig starts.
/// `title` is what the token is, in a line.
pub(crate) async fn shown(program: &str, wanted: &Explain, at: &str, token: &str, title: &str) -> u8 {
    let standing = Standing { given: wanted.given.clone(), now: wanted.now, log: None };
    let look = look(program, false, io::stdout());
    let site = match standing::start(&standing, None, inherited::of_caller(), &look).await {
        Ok(site) => site,
        Err(code) => return code,
    };
    let code = match judged(&site, at, token).await {
        Ok(told) => {
            let text = if wanted.json { format!("{:#}\n", told.as_json(title)) } else { told.as_text(title) };
            tell::data(&redact::text(&text), u8::from(told.record.failed().is_some()))
        }
        Err(why) => {
            tell::error(&why, Some(&places::help(site.rig())));
            2
        }
    };
    let _ = site.stop().await;
    code
}

async fn judged(site: &RigSite, at: &str, token: &str) -> Result<Told, String> {
    judged_at(site, places::find(site.rig(), at)?, token).await
}

/// What a place says to a token.
///
/// # Errors
///
/// Nothing there judges tokens, or it cannot be told what would be said.
pub(crate) async fn judged_at(site: &RigSite, place: Place, token: &str) -> Result<Told, String> {
    let at = place.text().to_owned();
    if token.starts_with("ya29.") && is_api(&place) {
        return Err(
            "an access token of Google says nothing of itself: whom it stands for knows only who issued it".to_owned()
        );
    }
    let shown = again::signed(site, &place, token).await;
    let requests = requests(&place, &shown.token);
    let mut answered = String::new();
    for request in requests {
        let before = site.decisions(0).await.unwrap_or_default().last().map_or(0, |record| record.seq);
        let answer = site.send(request).await.map_err(|fault| format!("`{}`: {fault}", redact::text(&at)))?;
        let made = site.decisions(before).await.unwrap_or_default();
        match of(&place, made) {
            // What the rig does not play is no judgement of Google's.
            Some(record) if record.answer.status == 501 => {
                answered = format!("the rig does not play what is at `{}`", redact::text(&at));
            }
            Some(record) => return Ok(Told { place, record, shown }),
            None => {
                answered = format!("nothing at `{}` judges tokens: it answered {}", redact::text(&at), answer.status);
            }
        }
    }
    Err(answered)
}

/// The decision of the door itself. Who asks an issuer of the rig for its keys makes decisions of others too.
fn of(place: &Place, made: Vec<Record>) -> Option<Record> {
    let exchange = matches!(place, Place::Provider(_));
    made.into_iter().find(|record| !exchange || record.surface == "sts")
}

/// Whether it is one of Google's APIs, which take access tokens.
fn is_api(place: &Place) -> bool {
    let Place::Url(url) = place else { return false };
    let host = url.strip_prefix("https://").unwrap_or(url).split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or(host);
    host == "googleapis.com" || host.ends_with(".googleapis.com")
}

fn takes_assertions(url: &str) -> bool {
    TOKEN_ENDPOINTS.contains(&url)
}

/// The requests that a client would send, until one is decided upon: the token as a bearer, as the subject token of an
/// exchange, or as an assertion.
fn requests(place: &Place, token: &str) -> Vec<Request> {
    let request = |method: &str, url: &str, header: (&str, String), body: String| Request {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: vec![(header.0.to_owned(), header.1)],
        body: body.into_bytes(),
        protocol: Protocol::Any,
        deadline: DEADLINE,
    };
    match place {
        Place::Provider(name) => {
            let body = json!({
                "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
                "audience": format!("//iam.googleapis.com/{name}"),
                "scope": "https://www.googleapis.com/auth/cloud-platform",
                "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
                "subjectTokenType": again::subject_kind(token),
                "subjectToken": token,
            });
            let header = ("content-type", "application/json".to_owned());
            vec![request("POST", "https://sts.googleapis.com/v1/token", header, body.to_string())]
        }
        Place::Url(url) if takes_assertions(url) => {
            let body = json!({ "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token });
            vec![request("POST", url, ("content-type", "application/json".to_owned()), body.to_string())]
        }
        Place::Url(url) => {
            let bearer = || ("authorization", format!("Bearer {token}"));
            let mut all = vec![request("GET", url, bearer(), String::new())];
            if is_api(place) {
                // Some methods are called by POST alone.
                let mut post = request("POST", url, bearer(), "{}".to_owned());
                post.headers.push(("content-type".to_owned(), "application/json".to_owned()));
                all.push(post);
            }
            all
        }
    }
}
