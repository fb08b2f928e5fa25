//! A request to AWS, as it was signed.

/// An HTTP request to AWS. Names of headers are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsRequest {
    /// The verb.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names in lower case, and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a URL is none that AWS can be asked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no https URL with a host")]
pub struct UrlFault;

/// The parts of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
}

impl AwsRequest {
    /// A POST without a body, with the `host` of its URL.
    ///
    /// # Errors
    ///
    /// [`UrlFault`].
    pub fn post(url: &str) -> Result<Self, UrlFault> {
        let host = parts(url).ok_or(UrlFault)?.host.to_owned();
        let headers = vec![("host".to_owned(), host)];
        Ok(Self { method: "POST".to_owned(), url: url.to_owned(), headers, body: Vec::new() })
    }

    /// The host of the URL, in lower case, without a port.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let host = parts(&self.url)?.host;
        let name = host.split_once(':').map_or(host, |(name, _)| name);
        Some(name.to_ascii_lowercase())
    }

    /// The region of the Security Token Service at the host: `us-east-1` for `sts.amazonaws.com`. `None`: no such host.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        let host = self.host()?;
        if host == "sts.amazonaws.com" {
            return Some("us-east-1".to_owned());
        }
        let region = host.strip_prefix("sts.")?.strip_suffix(".amazonaws.com")?;
        super::is_region(region).then(|| region.to_owned())
    }

    /// The parameters of query and form, decoded.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let query = parts(&self.url).map_or("", |parts| parts.query);
        let body = String::from_utf8_lossy(&self.body);
        let pairs = [query, &*body].map(super::sigv4::pairs);
        pairs.into_iter().flatten().collect()
    }

    /// The value of a header; several are joined as they are signed. The name is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Sets a header. The name is in lower case.
    pub fn put(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a header away.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }
}

/// The parts of an https URL.
pub(super) fn parts(url: &str) -> Option<Parts<'_>> {
    let rest = url.strip_prefix("https://")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = match before.find('/') {
        Some(at) => before.split_at(at),
        None => (before, "/"),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    (!host.is_empty() && host.chars().all(good)).then_some(Parts { host, path, query })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://sts.amazonaws.com?Action=x", Some("us-east-1"))]
    #[case("https://STS.eu-west-1.amazonaws.com/?Action=x", Some("eu-west-1"))]
    #[case("https://sts.us-gov-west-1.amazonaws.com:443/", Some("us-gov-west-1"))]
    #[case("https://sts.amazonaws.com.evil.example/", None)]
    #[case("https://sts.evil.example/.amazonaws.com", None)]
    #[case("https://user@sts.amazonaws.com/", None)]
    #[case("https://sts.a.b.amazonaws.com/", None)]
    #[case("http://sts.amazonaws.com/", None)]
    #[case("", None)]
    fn only_its_own_hosts_are_awss(#[case] url: &str, #[case] region: Option<&str>) {
        let request = AwsRequest { method: String::new(), url: url.to_owned(), headers: vec![], body: vec![] };
        assert_eq!(request.region().as_deref(), region);
    }
}
