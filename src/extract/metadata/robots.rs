//! What robots may do with an answer: `<meta name=robots>` and `X-Robots-Tag`.

use reqwest::header::HeaderMap;

use crate::extract::head::Head;

/// All directives, separated by commas; none where there are none. What names a robot (`googlebot: noindex`) comes last,
/// since what follows a name is for that robot.
pub(in crate::extract) fn directives(head: &Head<'_>, headers: &HeaderMap) -> Option<String> {
    let fields = headers.get_all("x-robots-tag").iter().filter_map(|value| value.to_str().ok());
    let (named, general): (Vec<_>, Vec<_>) = fields.partition(|field| names_robot(field));
    let all = head.contents("robots").chain(general).chain(named).flat_map(|content| content.split(','));
    let directives: Vec<_> = all.map(str::trim_ascii).filter(|directive| !directive.is_empty()).collect();
    (!directives.is_empty()).then(|| directives.join(", "))
}

/// Whether a field begins with the name of a robot, and not with a directive that has a value.
fn names_robot(field: &str) -> bool {
    const WITH_VALUE: [&str; 4] = ["max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"];
    let first = field.split(',').next().unwrap_or_default();
    let name = first.split_once(':').map(|(name, _)| name.trim_ascii());
    name.is_some_and(|name| !WITH_VALUE.iter().any(|one| one.eq_ignore_ascii_case(name)))
}
