//! Calls a private Cloud Run service the way a federated workload does, with Google's own client.
//!
//!     call-by-rust URL EMAIL AUDIENCE
//!
//! Application Default Credentials (an `external_account` file, as a rule) become a federated token, IAM Credentials makes
//! an ID token of EMAIL for AUDIENCE, and that token goes to URL. The service's answer is printed. When one of the three
//! says no, its words go to stderr, with the status, and the exit code is 1.

use std::{env, error::Error, process::ExitCode};

use google_cloud_iam_credentials_v1::client::IAMCredentials;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, account, audience] = &arguments[..] else {
        eprintln!("usage: call-by-rust URL EMAIL AUDIENCE");
        return ExitCode::from(2);
    };
    match call(url, account, audience).await {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(refused) => {
            let mut cause: Option<&dyn Error> = Some(&*refused);
            while let Some(error) = cause {
                eprintln!("{error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn call(url: &str, account: &str, audience: &str) -> Result<String, Box<dyn Error>> {
    let client = IAMCredentials::builder().build().await?;
    let name = format!("projects/-/serviceAccounts/{account}");
    let answer =
        client.generate_id_token().set_name(name).set_audience(audience).set_include_email(true).send().await?;
    let response = reqwest::Client::new().get(url).bearer_auth(answer.token).send().await?;
    let status = response.status();
    if !status.is_success() {
        let challenge = response.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
        return Err(format!("{url} refused it: {status}\n{}", challenge.unwrap_or_default()).into());
    }
    Ok(response.text().await?)
}
