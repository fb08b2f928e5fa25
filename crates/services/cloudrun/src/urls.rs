//! The host names of services: which one has which, and back.
//!
//! A service has two: `NAME-PROJECTNUMBER.REGION.run.app`, and `NAME-HASH-REGIONCODE.a.run.app` with ten characters that
//! all services of a project share.

/// Region codes of the hashed form, as seen in public host names of deployed services. A region without a known code
/// gets the first letters of its words (assumed).
const CODES: &[(&str, &str)] = &[
    ("asia-east1", "de"),
    ("asia-east2", "df"),
    ("asia-northeast1", "an"),
    ("asia-northeast2", "dt"),
    ("asia-northeast3", "du"),
    ("asia-south1", "el"),
    ("asia-south2", "em"),
    ("asia-southeast1", "as"),
    ("asia-southeast2", "et"),
    ("australia-southeast1", "ts"),
    ("australia-southeast2", "km"),
    ("europe-central2", "lm"),
    ("europe-north1", "lz"),
    ("europe-southwest1", "no"),
    ("europe-west1", "ew"),
    ("europe-west2", "nw"),
    ("europe-west3", "ey"),
    ("europe-west4", "ez"),
    ("europe-west6", "oa"),
    ("europe-west8", "oc"),
    ("europe-west9", "od"),
    ("me-west1", "zf"),
    ("northamerica-northeast1", "nn"),
    ("northamerica-northeast2", "pd"),
    ("southamerica-east1", "rj"),
    ("southamerica-west1", "tl"),
    ("us-central1", "uc"),
    ("us-east1", "ue"),
    ("us-east4", "uk"),
    ("us-east5", "ul"),
    ("us-south1", "vp"),
    ("us-west1", "uw"),
    ("us-west2", "wl"),
    ("us-west3", "wm"),
    ("us-west4", "wn"),
];

/// The two letters of a region.
#[must_use]
pub(crate) fn region_code(region: &str) -> String {
    CODES.iter().find(|(name, _)| *name == region).map_or_else(
        || region.split('-').filter_map(|word| word.chars().next()).collect(),
        |(_, code)| (*code).to_owned(),
    )
}

/// The host with the project's number.
#[must_use]
pub(crate) fn numbered_host(service: &str, project_number: &str, region: &str) -> String {
    format!("{service}-{project_number}.{region}.run.app")
}

/// The host of a region's functions.
#[must_use]
pub(crate) fn functions_host(region: &str, project_id: &str) -> String {
    format!("{region}-{project_id}.cloudfunctions.net")
}

/// Whether functions answer at this host.
#[must_use]
pub(crate) fn is_functions_host(host: &str) -> bool {
    host.ends_with(".cloudfunctions.net")
}

/// The host with the project's hash.
#[must_use]
pub(crate) fn hashed_host(service: &str, hash: &str, region: &str) -> String {
    format!("{service}-{hash}-{}.a.run.app", region_code(region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_built_from_name_project_and_region() {
        assert_eq!(
            numbered_host("orders", "1071284184436", "europe-west4"),
            "orders-1071284184436.europe-west4.run.app"
        );
        assert_eq!(hashed_host("orders", "6w42z6vi3q", "us-central1"), "orders-6w42z6vi3q-uc.a.run.app");
    }
}
