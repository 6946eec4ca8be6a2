//! When a page was published, and when it was changed.
//!
//! What says so, in the order in which it is believed: JSON-LD; `<meta>`; an element marked as that (microdata, the classes
//! of microformats, `<time pubdate>`); a `<time>`; the path of a URL; an element whose class speaks of dates; text next to a
//! word such as "published"; a date on a line of its own. The nearer to the headline the better, and what stands in a
//! sidebar, a footer or a comment comes last. A date before 1995 or after tomorrow is none.
//!
//! The time of day is kept where it is written as in ISO 8601, otherwise the day is all that is given.

mod months;
mod stamp;
mod weigh;
mod written;
