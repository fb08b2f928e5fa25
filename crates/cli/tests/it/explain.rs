//! `explain`: what a thing is, as text and as JSON, and its exit codes.

use crate::support::Home;

#[tokio::test]
async fn a_credential_file_is_explained_with_what_is_wrong_and_no_secret() {
    let home = Home::new();
    home.write(
        "adc.json",
        r#"{"type":"authorized_user","client_id":"c","client_secret":"s3cret","refresh_tokn":"1//0gabcdefghijklmnopqrstuvwxyz"}"#,
    );
    let told = home.call(&["explain", "credentials", "adc.json"]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.starts_with("authorized_user: a user, by a refresh token\n"), "{told}");
    assert!(told.stdout.contains("help: did you mean `refresh_token`?"), "{told}");
    assert!(!told.stdout.contains("s3cret") && !told.stdout.contains("0gabc"), "{told}");
    let json = home.call(&["explain", "credentials", "adc.json", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["faults"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_disk_that_is_full_is_told() {
    let home = Home::new();
    home.write("token.txt", "ya29.c.b0AXv0zTPQaaaaaaaaaaaaaaaaaaaaaaaa");
    let told = home.shell("tokenrig explain token token.txt > /dev/full").await;
    assert_eq!(told.code, Some(3), "{told}");
    assert!(told.stderr.starts_with("error: cannot write to the standard output"), "{told}");
}

#[tokio::test]
async fn what_is_no_file_or_does_not_fit_is_a_mistake_of_the_call() {
    let home = Home::new();
    let token = "ya29.c.b0AXv0zTPQaaaaaaaaaaaaaaaaaaaaaaaa";
    home.write("token.txt", token);
    let good = home.call(&["explain", "token", "token.txt"]).await;
    assert_eq!(good.code, Some(0), "{good}");
    let typed = home.call(&["explain", "token", token]).await;
    assert_eq!(typed.code, Some(2), "{typed}");
    assert!(!typed.stderr.contains(token), "{typed}");
    for call in [
        &["explain", "token", "token.txt", "--given", "g.yaml"][..],
        &["explain", "url", "token.txt", "--at", "https://orders.example", "--given", "g.yaml"][..],
    ] {
        let told = home.call(call).await;
        assert_eq!(told.code, Some(2), "{told}");
        assert!(told.stderr.contains("--at"), "{told}");
    }
}
