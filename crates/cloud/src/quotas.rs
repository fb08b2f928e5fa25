//! Quotas: requests per minute of the rig's clock.

use std::{collections::BTreeMap, sync::Mutex};

use tokenrig_clock::Timestamp;

use crate::{cloud::Cloud, sync::lock};

/// What was used of a quota in the minute that is counted.
#[derive(Debug, Default)]
pub(crate) struct Used(Mutex<BTreeMap<String, (i64, u32)>>);

/// A quota is used up for this minute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota {quota} of {limit} requests a minute is used up")]
pub struct QuotaExceeded {
    /// Its name, for example `sts.googleapis.com/requests`.
    pub quota: String,
    /// Requests a minute.
    pub limit: u32,
}

/// The quotas of a cloud.
#[derive(Clone, Copy)]
pub struct Quotas<'a>(pub(crate) &'a Cloud);

impl Quotas<'_> {
    /// Counts one request.
    ///
    /// # Errors
    ///
    /// [`QuotaExceeded`] if the minute's requests are used up. A quota that the settings do not name has no end.
    pub fn take(&self, quota: &str) -> Result<(), QuotaExceeded> {
        let Some(&limit) = self.0.settings().quotas.get(quota) else { return Ok(()) };
        let minute = minute(self.0.now());
        let mut used = lock(&self.0.inner().quotas.0);
        let (counted, count) = used.entry(quota.to_owned()).or_default();
        if *counted != minute {
            (*counted, *count) = (minute, 0);
        }
        if *count >= limit {
            return Err(QuotaExceeded { quota: quota.to_owned(), limit });
        }
        *count += 1;
        Ok(())
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::{Clock, seconds};

    use crate::cloud::tests::cloud_with;

    #[test]
    fn a_quota_counts_by_the_minute_and_only_where_the_settings_name_it() {
        const QUOTA: &str = "sts.googleapis.com/requests";
        let (cloud, clock) = cloud_with(|foundation| _ = foundation.settings.quotas.insert(QUOTA.into(), 2));
        let take = || cloud.quotas().take(QUOTA);
        assert!(take().is_ok() && take().is_ok());
        assert_eq!(take().unwrap_err().limit, 2);
        assert!(cloud.quotas().take("iam.googleapis.com/requests").is_ok());
        clock.advance_to(cloud.now() + seconds(60)).unwrap();
        assert!(take().is_ok());
    }
}
