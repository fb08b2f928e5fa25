//! Signed requests to AWS: lines of `METHOD URL`, headers, an empty line, the body.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tokenrig_clock::ManualClock;
use tokenrig_cloud::{AwsRequest, AwsScope, Cloud, Foundation, aws_authorization};

fn cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| {
        let start = "2026-01-15T09:00:00Z".parse().expect("an instant");
        Cloud::new(Foundation::on(std::sync::Arc::new(ManualClock::starting_at(start))))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let Some((method, url)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let headers = lines.filter_map(|line| line.split_once(": "));
    let request = AwsRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    };
    let _ = (request.host(), request.region(), request.parameters());
    let told = cloud().aws().caller(&request);
    assert!(told.is_err(), "no account is there, so nobody has signed");
    let _ = aws_authorization(&request, "AKIAEXAMPLE", "s3cret", &AwsScope::sts("20260115T090000Z", "us-east-1"));
});
