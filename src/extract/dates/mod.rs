//! When a page was published, and when it was changed.
//!
//! What says so, in the order in which it is believed: JSON-LD; `<meta>`; an element marked as that (microdata, the classes
//! of microformats, `<time pubdate>`); the path of a URL; what stands nearest to the headline of all other `<time>`s,
//! elements whose class speaks of dates, and short lines with a date, those first that say "published" or the like in one of
//! many languages; the data of scripts. What stands in a sidebar, a footer or a comment comes last, and only where nothing
//! at all says when a page was published its last change does. A date before 1995 or after tomorrow is none.
//!
//! The time of day is kept where it is written as in ISO 8601, otherwise the day is all that is given.

mod stamp;
mod weigh;
mod words;
