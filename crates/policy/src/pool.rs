//! Identity pools, as principals and tokens name them.

use std::fmt;

/// An identity pool by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolRef {
    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    Workload {
        /// The project as it was written. Only the project's number ever matches an identity.
        project: String,
        /// The pool's id.
        pool: String,
    },
    /// `locations/global/workforcePools/POOL`: it belongs to an organisation, so no project is named.
    Workforce {
        /// The pool's id.
        pool: String,
    },
}

impl PoolRef {
    /// A workload identity pool of the project with this number.
    #[must_use]
    pub fn workload(project_number: impl Into<String>, pool: impl Into<String>) -> Self {
        Self::Workload { project: project_number.into(), pool: pool.into() }
    }

    /// A workforce pool.
    #[must_use]
    pub fn workforce(pool: impl Into<String>) -> Self {
        Self::Workforce { pool: pool.into() }
    }

    /// Reads a whole resource name, without any `//iam.googleapis.com/` before it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match Self::parse_prefix(name)? {
            (pool, "") => Some(pool),
            _ => None,
        }
    }

    /// Reads a pool's name at the start of `text`; gives the rest, which is empty or starts with `/`.
    #[must_use]
    pub fn parse_prefix(text: &str) -> Option<(Self, &str)> {
        let segment = |text: &str| text.find('/').unwrap_or(text.len());
        if let Some(after) = text.strip_prefix("locations/global/workforcePools/") {
            let (pool, rest) = after.split_at(segment(after));
            return (!pool.is_empty()).then(|| (Self::workforce(pool), rest));
        }
        let after = text.strip_prefix("projects/")?;
        let (project, after) = after.split_at(segment(after));
        let after = after.strip_prefix("/locations/global/workloadIdentityPools/")?;
        let (pool, rest) = after.split_at(segment(after));
        (!project.is_empty() && !pool.is_empty()).then(|| (Self::workload(project, pool), rest))
    }

    /// The pool's id, the last segment of its name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Workload { pool, .. } | Self::Workforce { pool } => pool,
        }
    }

    /// The project as written, of a workload pool.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Workload { project, .. } => Some(project),
            Self::Workforce { .. } => None,
        }
    }
}

/// The resource name.
impl fmt::Display for PoolRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workload { project, pool } => {
                write!(f, "projects/{project}/locations/global/workloadIdentityPools/{pool}")
            }
            Self::Workforce { pool } => write!(f, "locations/global/workforcePools/{pool}"),
        }
    }
}
