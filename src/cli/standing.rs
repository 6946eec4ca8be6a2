//! How a run and its busiest hosts stand, for whoever asks.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::logging::Voice;
use crate::frontier::{Frontier, Host, HostState, Progress};
use crate::sink::{grouped, human_duration, neutralise};

/// How many hosts are told of where somebody asks.
const ASKED: usize = 10;

/// Says how the run of `frontier` stands.
pub(super) fn tell(frontier: &Frontier, voice: &Voice) {
    let (progress, hosts) = (frontier.progress(), frontier.hosts(ASKED));
    let Progress { targets, settled, queued, in_flight, is_complete, .. } = progress;
    let more = if is_complete { "" } else { "+" };
    let (settled, targets) = (grouped(settled), grouped(targets));
    let standing =
        format!("running: {settled}/{targets}{more} done  {in_flight} in flight  {} queued", grouped(queued as u64));
    let lines: Vec<_> = std::iter::once(standing).chain(hosts.iter().map(|host| format!("  {}", line(host)))).collect();
    voice.tell(lines.join("\n"), || fields(progress, &hosts));
}

/// A host in a line.
pub(super) fn line(host: &Host) -> String {
    let mut parts = vec![
        neutralise(&host.name).into_owned(),
        format!("{} in flight", host.in_flight),
        format!("{} queued", grouped(host.queued as u64)),
    ];
    if host.state != HostState::Usual {
        parts.push(format!("limit {}", host.limit));
    }
    if !host.delay.is_zero() {
        parts.push(format!("delay {}", human_duration(host.delay)));
    }
    match (host.state.name(), host.waits) {
        (Some(state), Some(waits)) => parts.push(format!("{state} for {}", human_duration(whole(waits)))),
        (Some(state), None) => parts.push(state.into()),
        (None, _) => {}
    }
    parts.join("  ")
}

/// Whether there is more to see than the whole run shows.
pub(super) fn is_telling(hosts: &[Host]) -> bool {
    hosts.len() > 1 || hosts.iter().any(|host| host.state != HostState::Usual)
}

/// In whole seconds, rounded up: a wait is never told to be over before it is.
fn whole(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
}

fn fields(progress: Progress, hosts: &[Host]) -> Map<String, Value> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let host = |host: &Host| {
        json!({
            "host": host.name,
            "in_flight": host.in_flight,
            "queued": host.queued,
            "limit": host.limit,
            "delay_ms": millis(host.delay),
            "waits_ms": host.waits.map(millis),
            "state": host.state.name(),
        })
    };
    let fields = json!({
        "targets": progress.targets,
        "settled": progress.settled,
        "queued": progress.queued,
        "in_flight": progress.in_flight,
        "is_complete": progress.is_complete,
        "hosts": hosts.iter().map(host).collect::<Vec<_>>(),
    });
    if let Value::Object(fields) = fields { fields } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_unusual() {
        let usual = Host {
            name: "a.test".into(),
            in_flight: 8,
            queued: 1203,
            limit: 8,
            delay: Duration::ZERO,
            waits: None,
            state: HostState::Usual,
        };
        assert_eq!(line(&usual), "a.test  8 in flight  1,203 queued");
        assert!(!is_telling(std::slice::from_ref(&usual)) && is_telling(&[usual.clone(), usual.clone()]));
        let slowed = Host {
            limit: 2,
            delay: Duration::from_secs(1),
            waits: Some(Duration::from_millis(11_001)),
            state: HostState::BackingOff,
            ..usual
        };
        assert_eq!(line(&slowed), "a.test  8 in flight  1,203 queued  limit 2  delay 1.0 s  backing off for 12 s");
        assert!(is_telling(&[slowed]));
    }
}
