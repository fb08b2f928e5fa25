//! What Google has not told about Cloud Scheduler, and what is done instead.

use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The settings of the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether retries go on when the next start of the schedule falls due, which is then left out. If not, the start takes
    /// their place.
    pub retries_overtake: bool,
    /// The time zone of `X-CloudScheduler-ScheduleTime`.
    pub header_zone: String,
    /// How many redirects of a target are followed.
    pub redirects: usize,
    /// The locations that have jobs. None told: every one whose name is that of a region; the project's own is listed.
    pub locations: Vec<String>,
    /// How many jobs a location can have.
    pub most_jobs: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retries_overtake: true,
            header_zone: "America/Los_Angeles".to_owned(),
            redirects: 5,
            locations: Vec::new(),
            most_jobs: 5_000,
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] =
        settable!(Settings { retries_overtake, header_zone, redirects, locations, most_jobs });
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "retries_overtake",
        about: "whether retries go on when the next start of the schedule falls due",
        default: "they do, and the start that they overtake is left out",
        source: "the page on retries: the next scheduled execution time might be skipped; the reference says the opposite",
    },
    Assumption {
        name: "header_zone",
        about: "the time zone of X-CloudScheduler-ScheduleTime",
        default: "America/Los_Angeles, with its offset, whatever the zone of the job",
        source: "recorded on 2026-10-05 of a job in UTC and of one in Asia/Tokyo; an older page says UTC: set `Etc/UTC`",
    },
    Assumption {
        name: "redirects",
        about: "how many redirects of a target are followed, as browsers do, the token only to the same host",
        default: "5",
        source: "older texts of the reference: the response returned by the redirected request is considered",
    },
    Assumption {
        name: "locations",
        about: "which locations have jobs",
        default: "all that are named like a region; `locations.list` tells the project's own",
        source: "Google's list grows; gcloud warns if there is more than one",
    },
    Assumption {
        name: "most_jobs",
        about: "how many jobs a location can have",
        default: "5000",
        source: "the page on quotas, as quoted by others; the form of the refusal is not known",
    },
    Assumption {
        name: "fold",
        about: "what becomes of a start at a local time that comes twice, or never",
        default: "it is run twice, or not at all",
        source: "that a time which does not exist is skipped is recorded on 2026-10-01; that one which repeats runs twice is told in a course of Google's",
    },
    Assumption {
        name: "interval",
        about: "from when `every N minutes` and `every N hours` are counted",
        default: "from midnight in the job's time zone where N divides a day, else from that of the first of January 1970",
        source: "recorded on 2026-10-01 for the first start of `every 5 minutes`; later ones were seen to drift from the creation of the job",
    },
    Assumption {
        name: "names",
        about: "whether names of months and days may be written in small letters",
        default: "they may",
        source: "the page shows capitals; other readers of unix-cron take both",
    },
    Assumption {
        name: "reuse",
        about: "whether a deleted job's name can be used again at once",
        default: "it can",
        source: "the reference says that it cannot; gcloud and Terraform do it every day",
    },
    Assumption {
        name: "default_audience",
        about: "whether the default audience is shown in the job",
        default: "it is not: the job is told as it was sent",
        source: "not established",
    },
    Assumption {
        name: "no_attempt_yet",
        about: "the status of a job that was never run",
        default: "code -1",
        source: "public outputs of gcloud, of jobs before their first attempt",
    },
    Assumption {
        name: "delayed",
        about: "how many starts wait for an attempt that takes longer than the schedule's interval",
        default: "one, the latest",
        source: "the reference says that a start is delayed until the attempt before it has ended, and not how many are",
    },
    Assumption {
        name: "paused",
        about: "what becomes of the retries of a job that is paused",
        default: "they are given up; an attempt in flight ends by itself",
        source: "the reference says that a paused job is not executed",
    },
    Assumption {
        name: "disabled_api",
        about: "what becomes of starts while the API is disabled in the project",
        default: "they are left out; Google runs what was missed once it is enabled again, which is not played",
        source: "the page on schedules",
    },
];
