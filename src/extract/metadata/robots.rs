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

/// Whether a field begins with the name of a robot.
fn names_robot(field: &str) -> bool {
    field.split(',').next().and_then(robot_of).is_some()
}

/// The robot that a directive names, and what follows; none where what stands before the colon is a directive that has a
/// value, or part of a date.
fn robot_of(directive: &str) -> Option<(&str, &str)> {
    const WITH_VALUE: [&str; 4] = ["max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"];
    let (name, rest) = directive.split_once(':')?;
    let name = name.trim_ascii();
    let is_robot = !name.contains(|c: char| c.is_ascii_whitespace())
        && !WITH_VALUE.iter().any(|one| one.eq_ignore_ascii_case(name));
    is_robot.then_some((name, rest))
}

/// Whether the answer asks the robot called `robot` not to follow its links (`nofollow`, `none`): each place that speaks to
/// it, or to all, may say so.
pub(in crate::extract) fn forbids_following(head: &Head<'_>, headers: &HeaderMap, robot: &str) -> bool {
    let mut contents = head.contents("robots").chain(head.contents(robot));
    let mut fields = headers.get_all("x-robots-tag").iter().filter_map(|value| value.to_str().ok());
    contents.any(|content| content.split(',').any(is_nofollow)) || fields.any(|field| field_forbids(field, robot))
}

/// Whether a field does, in which a name says for whom what follows it is.
fn field_forbids(field: &str, robot: &str) -> bool {
    let mut is_meant = true;
    field.split(',').any(|directive| {
        let named = robot_of(directive);
        if let Some((name, _)) = named {
            is_meant = name == "*" || name.eq_ignore_ascii_case(robot);
        }
        is_meant && is_nofollow(named.map_or(directive, |(_, rest)| rest))
    })
}

/// Whether a directive is one not to follow links. Some leave the commas out, and `max-image-preview: none` is another.
fn is_nofollow(directive: &str) -> bool {
    let mut words = directive.split_ascii_whitespace().take_while(|word| !word.contains(':'));
    words.any(|word| ["nofollow", "none"].iter().any(|one| one.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_speaks_to_all_or_to_those_whom_it_names() {
        for field in [
            "nofollow",
            "noindex, NoFollow",
            "none",
            "noindex nofollow",
            "*: nofollow",
            "scrape: nofollow",
            "Scrape: noindex, nofollow",
            "otherbot: noindex, scrape: none",
            "unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT, nofollow",
            "max-snippet: 5, nofollow",
        ] {
            assert!(field_forbids(field, "scrape"), "{field}");
        }
        for field in [
            "",
            "follow",
            "noindex",
            "nofollowing",
            "otherbot: nofollow",
            "otherbot: noindex, nofollow",
            "scrape: noindex, otherbot: nofollow",
            "max-image-preview: none",
            "max-image-preview:none",
        ] {
            assert!(!field_forbids(field, "scrape"), "{field}");
        }
    }
}
