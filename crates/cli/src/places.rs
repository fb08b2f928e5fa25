//! Places of a rig that judge tokens, by the names that people have for them.

use http::Uri;
use tokenrig::Rig;
use tokenrig_runner::redact;

/// A place at which a token can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A provider of a workload identity pool, by its resource name.
    Provider(String),
    /// Anything that answers at a URL.
    Url(String),
}

/// Prefixes with which providers are named: as `audience` of an exchange and as audience of tokens.
const OF_IAM: [&str; 3] = ["https://iam.googleapis.com/", "//iam.googleapis.com/", "https://iam.googleapis.com/v1/"];

/// The place that `text` names: a URL, with or without `https://`; a provider's resource name, its id or `POOL/ID`; the id
/// of a service or a function.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn find(rig: &Rig, text: &str) -> Result<Place, String> {
    let text = text.trim();
    if let Some(name) = provider_name(text) {
        return Ok(Place::Provider(name.to_owned()));
    }
    let shown = redact::text(text);
    if let Some((scheme, _)) = text.split_once("://") {
        let whole = text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
        return match scheme {
            "https" if whole => Ok(Place::Url(text.to_owned())),
            "http" => Err(format!("`{shown}`: Google's surfaces are reached by https")),
            _ => Err(format!("`{shown}` is no URL of a service")),
        };
    }
    let named: Vec<Place> = known(rig).into_iter().filter(|known| known.is(text)).map(|known| known.place).collect();
    match named.as_slice() {
        [one] => Ok(one.clone()),
        [] if text.contains('.') && !text.contains(char::is_whitespace) => Ok(Place::Url(format!("https://{text}"))),
        [] => Err(format!("the given document has no service and no provider `{shown}`")),
        many => {
            let many: Vec<&str> = many.iter().map(Place::text).collect();
            Err(format!("`{shown}` may be {}", many.join(" or ")))
        }
    }
}

/// The provider that `text` names by its whole name.
pub(crate) fn provider_name(text: &str) -> Option<&str> {
    let name = OF_IAM.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let of_pool = name.starts_with("projects/") || name.starts_with("locations/global/workforcePools/");
    (of_pool && name.contains("/providers/")).then_some(name)
}

impl Place {
    /// Its name or URL.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Provider(text) | Self::Url(text) => text,
        }
    }
}

/// A place of a rig, with the short names that it has.
#[derive(Debug)]
struct Known {
    place: Place,
    short: Vec<String>,
}

impl Known {
    fn is(&self, text: &str) -> bool {
        self.short.iter().any(|short| short == text)
    }
}

fn known(rig: &Rig) -> Vec<Known> {
    let providers = rig.providers().into_iter().map(|provider| Known {
        short: vec![provider.id.clone(), format!("{}/{}", provider.pool.id(), provider.id)],
        place: Place::Provider(provider.name()),
    });
    let run = rig.core().cloud_run();
    let services = run.deployed().into_iter().map(|service| (service.name, service.id));
    let functions = run.functions().into_iter().map(|function| (function.name, function.id));
    let mut all: Vec<Known> = Vec::new();
    for (name, id) in functions.chain(services) {
        // Behind a function of the second generation stands a service of the same id.
        if let Some(uri) = run.uri(&name)
            && !all.iter().any(|known| known.is(&id))
        {
            all.push(Known { place: Place::Url(uri), short: vec![id, name] });
        }
    }
    all.into_iter().chain(providers).collect()
}

/// What can be named, for whoever named something else.
pub(crate) fn help(rig: &Rig) -> String {
    const SHOWN: usize = 12;
    let known = known(rig);
    if known.is_empty() {
        return "`--given FILE` says which services and providers there are; the given documents hold none".to_owned();
    }
    let names: Vec<&str> = known.iter().take(SHOWN).map(|known| known.place.text()).collect();
    let more = if known.len() > SHOWN { format!(" and {} more", known.len() - SHOWN) } else { String::new() };
    format!("the given documents hold {}{more}", names.join(", "))
}
