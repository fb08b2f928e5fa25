//! The environment of a command.

use std::collections::BTreeMap;

use crate::support::{Home, Told, assert_told, ended};

/// What `env` printed.
fn variables(told: &Told) -> BTreeMap<&str, &str> {
    told.stdout.lines().filter_map(|line| line.split_once('=')).collect()
}

#[tokio::test]
async fn every_form_of_every_client_is_set() {
    let home = Home::new();
    let mut told = home.call(&["exec", "--", "env"]).await;
    let mut lines: Vec<&str> = told.stdout.lines().collect();
    lines.retain(|line| !["PATH=", "HOME=", "TMPDIR=", "PWD=", "OLDPWD="].iter().any(|own| line.starts_with(own)));
    lines.sort_unstable();
    told.stdout = lines.join("\n") + "\n";
    assert_told!(told, @r#"
    exit: 0
    ──── stdout
    AWS_CA_BUNDLE=TEMP/ca.pem
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1
    CLOUDSDK_CONFIG=TEMP/gcloud
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=TEMP/ca.pem
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1
    CLOUDSDK_FUNCTIONS_GEN2=off
    CLOUDSDK_RUN_REGION=us-central1
    CURL_CA_BUNDLE=TEMP/ca.pem
    GCE_METADATA_HOST=127.0.0.1:PORT
    GCE_METADATA_IP=127.0.0.1:PORT
    GCE_METADATA_ROOT=127.0.0.1:PORT
    GOOGLE_CLOUD_PROJECT=shop-test
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=TEMP/ca.pem
    HTTPLIB2_CA_CERTS=TEMP/ca.pem
    HTTPS_PROXY=http://127.0.0.1:PORT
    HTTP_PROXY=http://127.0.0.1:PORT
    JAVA_TOOL_OPTIONS=-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=PORT -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=PORT -Dhttp.nonProxyHosts=localhost|127.0.0.1 -Djavax.net.ssl.trustStore=TEMP/trust.p12 -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=changeit
    NODE_EXTRA_CA_CERTS=TEMP/ca.pem
    NO_PROXY=127.0.0.1,localhost,::1
    REQUESTS_CA_BUNDLE=TEMP/ca.pem
    SSL_CERT_FILE=TEMP/ca.pem
    TOKENRIG_CA=TEMP/ca.pem
    TOKENRIG_URL=http://127.0.0.1:PORT
    grpc_proxy=http://127.0.0.1:PORT
    http_proxy=http://127.0.0.1:PORT
    https_proxy=http://127.0.0.1:PORT
    no_proxy=127.0.0.1,localhost,::1
    ──── stderr
    "#);
}

#[tokio::test]
async fn variables_that_lead_past_the_rig_are_overridden_or_removed() {
    let home = Home::new();
    let mut command = home.tokenrig(&["exec", "--", "env"]);
    let overridden = [
        ("HTTPS_PROXY", "http://proxy.example"),
        ("https_proxy", "http://proxy.example"),
        ("NO_PROXY", "*.googleapis.com"),
        ("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt"),
        ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
        ("GOOGLE_CLOUD_PROJECT", "a-real-project"),
        ("CLOUDSDK_CONFIG", "/home/somebody/.config/gcloud"),
        ("GCE_METADATA_HOST", "169.254.169.254"),
    ];
    let removed = [
        "ALL_PROXY",
        "CLOUDSDK_ACTIVE_CONFIG_NAME",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SOMETHING",
        "CLOUDSDK_AUTH_ACCESS_TOKEN",
        "CLOUDSDK_AUTH_SOMETHING",
        "CLOUDSDK_CORE_ACCOUNT",
        "CLOUDSDK_CORE_PROJECT",
        "CLOUDSDK_PROXY_ADDRESS",
        "GCLOUD_PROJECT",
        "NO_GCE_CHECK",
        "PUBSUB_EMULATOR_HOST",
        "SSL_CERT_DIR",
        "no_grpc_proxy",
    ];
    command.envs(overridden).envs(removed.map(|name| (name, "a-real-thing"))).env("OWN", "stays");
    let told = ended(command).await;
    let variables = variables(&told);
    for (name, value) in overridden {
        assert_ne!(variables[name], value, "{name}");
    }
    for name in removed {
        assert_eq!(variables.get(name), None, "{name}");
    }
    assert_eq!(variables["OWN"], "stays");
}

#[tokio::test]
async fn options_of_java_that_are_a_users_own_stay_before_those_of_the_rig() {
    let home = Home::new();
    let mut command = home.tokenrig(&["exec", "--", "env"]);
    command.env("JAVA_TOOL_OPTIONS", "-Xmx1g");
    let told = ended(command).await;
    assert!(variables(&told)["JAVA_TOOL_OPTIONS"].starts_with("-Xmx1g -Dhttps.proxyHost=127.0.0.1 "), "{told}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_variable_that_is_no_text_is_handed_on() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let home = Home::new();
    let mut command =
        home.tokenrig(&["exec", "--", "sh", "-c", "printf %s \"$ODD\" | od -An -tx1; echo ${ALL_PROXY-none}"]);
    command.env("ODD", OsStr::from_bytes(b"\xff\xfe")).env("ALL_PROXY", OsStr::from_bytes(b"\xff"));
    let told = ended(command).await;
    assert_eq!(told.stdout, " ff fe\nnone\n");
}

#[tokio::test]
async fn credentials_that_the_caller_has_named_are_left_alone() {
    let home = Home::new();
    home.log_in();
    let mut command = home.tokenrig(&["exec", "--", "env"]);
    command.env("GOOGLE_APPLICATION_CREDENTIALS", "mine.json");
    let told = ended(command).await;
    assert_eq!(variables(&told)["GOOGLE_APPLICATION_CREDENTIALS"], "mine.json");
    assert_eq!(told.stderr, "");
}

#[tokio::test]
async fn without_any_credentials_none_are_named_because_the_metadata_server_has_them() {
    let told = Home::new().call(&["exec", "--", "env"]).await;
    assert_eq!(variables(&told).get("GOOGLE_APPLICATION_CREDENTIALS"), None);
}

#[tokio::test]
async fn credentials_in_the_home_folder_give_way_to_a_key_of_the_owner() {
    let home = Home::new();
    home.log_in();
    let script = "ls -l $GOOGLE_APPLICATION_CREDENTIALS | cut -c1-10; grep -o '\"client_email\": \"[^\"]*\"' $GOOGLE_APPLICATION_CREDENTIALS";
    assert_told!(home.call(&["exec", "--", "sh", "-c", script]).await, @r#"
    exit: 0
    ──── stdout
    -rw-------
    "client_email": "tokenrig-owner@shop-test.iam.gserviceaccount.com"
    ──── stderr
    note: a well-known credentials file lies in the home folder; GOOGLE_APPLICATION_CREDENTIALS names a key of the rig's owner instead
    "#);
    assert!(home.temporary().is_empty());
}
