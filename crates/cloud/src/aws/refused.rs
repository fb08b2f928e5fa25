//! How AWS says no to a signed request.

/// Why AWS does not know who signed a request. The words are AWS's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsRefused {
    /// Nothing says who signed it.
    #[error("there is no `Authorization`")]
    Missing,
    /// What says who signed it cannot be read.
    #[error("{0}")]
    Incomplete(String),
    /// No principal has the access key, or not with this session token.
    #[error("no principal has this access key with this session token")]
    UnknownKey,
    /// It was signed too long ago.
    #[error("it was signed at {signed}, too long before {now}")]
    Expired {
        /// `x-amz-date`.
        signed: String,
        /// The oldest that is taken.
        oldest: String,
        /// Now.
        now: String,
    },
    /// It was signed too far in the future.
    #[error("it was signed at {signed}, ahead of {now}")]
    NotYet {
        /// `x-amz-date`.
        signed: String,
        /// The latest that is taken.
        latest: String,
        /// Now.
        now: String,
    },
    /// The signature is for another day, region or service.
    #[error("{0}")]
    Scope(String),
    /// The signature is another one.
    #[error("the signature does not fit")]
    Mismatch,
}

impl AwsRefused {
    /// `Code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationToken",
            Self::Incomplete(_) => "IncompleteSignature",
            Self::UnknownKey => "InvalidClientTokenId",
            Self::Expired { .. } | Self::NotYet { .. } | Self::Scope(_) | Self::Mismatch => "SignatureDoesNotMatch",
        }
    }

    /// `Message`.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Missing => "Request is missing Authentication Token".to_owned(),
            Self::Incomplete(why) | Self::Scope(why) => why.clone(),
            Self::UnknownKey => "The security token included in the request is invalid.".to_owned(),
            Self::Expired { signed, oldest, now } => {
                format!("Signature expired: {signed} is now earlier than {oldest} ({now} - 15 min.)")
            }
            Self::NotYet { signed, latest, now } => {
                format!("Signature not yet current: {signed} is still later than {latest} ({now} + 15 min.)")
            }
            Self::Mismatch => "The request signature we calculated does not match the signature you provided. Check \
                               your AWS Secret Access Key and signing method. Consult the service documentation for \
                               details."
                .to_owned(),
        }
    }
}
