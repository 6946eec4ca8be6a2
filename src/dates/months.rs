//! The names of the months.

/// Names and abbreviations in lower case, sorted: Bulgarian, Catalan, Croatian, Czech, Danish, Dutch, English, Finnish, French,
/// German, Greek, Hungarian, Indonesian, Italian, Norwegian, Polish, Portuguese, Romanian, Russian, Slovak, Spanish, Swedish,
/// Turkish, Ukrainian. `listopad` is November, as in Polish and Czech, and not the October that it is in Croatian.
#[rustfmt::skip]
static NAMES: &[(&str, i8)] = &[
    ("abr", 4), ("abril", 4), ("ago", 8), ("agost", 8), ("agosto", 8), ("agustos", 8), ("agustus", 8), ("aout", 8),
    ("août", 8), ("apr", 4), ("april", 4), ("aprile", 4), ("aprilie", 4), ("apríl", 4), ("apríla", 4),
    ("aralik", 12), ("aralık", 12), ("aug", 8), ("august", 8), ("augusta", 8), ("augusti", 8), ("augustus", 8),
    ("augusztus", 8), ("avr", 4), ("avril", 4), ("ağustos", 8), ("březen", 3), ("března", 3), ("cze", 6),
    ("czerwca", 6), ("czerwiec", 6), ("dec", 12), ("december", 12), ("decembra", 12), ("decembre", 12),
    ("decembrie", 12), ("des", 12), ("desember", 12), ("desembre", 12), ("dez", 12), ("dezember", 12),
    ("dezembro", 12), ("dic", 12), ("dicembre", 12), ("diciembre", 12), ("duben", 4), ("dubna", 4), ("déc", 12),
    ("décembre", 12), ("ekim", 10), ("elokuu", 8), ("elokuuta", 8), ("ene", 1), ("enero", 1), ("eylul", 9),
    ("eylül", 9), ("feb", 2), ("febbraio", 2), ("feber", 2), ("febrer", 2), ("febrero", 2), ("februar", 2),
    ("februari", 2), ("februarie", 2), ("february", 2), ("február", 2), ("februára", 2), ("fev", 2),
    ("fevereiro", 2), ("fevr", 2), ("fevrier", 2), ("fév", 2), ("févr", 2), ("février", 2), ("gen", 1),
    ("gener", 1), ("gennaio", 1), ("giu", 6), ("giugno", 6), ("gru", 12), ("grudnia", 12), ("grudzień", 12),
    ("haziran", 6), ("heinäkuu", 7), ("heinäkuuta", 7), ("helmikuu", 2), ("helmikuuta", 2), ("huhtikuu", 4),
    ("huhtikuuta", 4), ("ian", 1), ("ianuarie", 1), ("iul", 7), ("iulie", 7), ("iun", 6), ("iunie", 6), ("jan", 1),
    ("janeiro", 1), ("januar", 1), ("januari", 1), ("january", 1), ("január", 1), ("januára", 1), ("janv", 1),
    ("janvier", 1), ("joulukuu", 12), ("joulukuuta", 12), ("juil", 7), ("juillet", 7), ("juin", 6), ("jul", 7),
    ("julho", 7), ("juli", 7), ("julio", 7), ("juliol", 7), ("july", 7), ("jun", 6), ("june", 6), ("junho", 6),
    ("juni", 6), ("junio", 6), ("juny", 6), ("jän", 1), ("jänner", 1), ("júl", 7), ("júla", 7), ("július", 7),
    ("jún", 6), ("júna", 6), ("június", 6), ("kasim", 11), ("kasım", 11), ("kesäkuu", 6), ("kesäkuuta", 6),
    ("kolovoza", 8), ("květen", 5), ("května", 5), ("kwi", 4), ("kwiecień", 4), ("kwietnia", 4), ("leden", 1),
    ("ledna", 1), ("lip", 7), ("lipca", 7), ("lipiec", 7), ("lipnja", 6), ("listopad", 11), ("listopada", 11),
    ("lokakuu", 10), ("lokakuuta", 10), ("lug", 7), ("luglio", 7), ("lut", 2), ("lutego", 2), ("luty", 2),
    ("maaliskuu", 3), ("maaliskuuta", 3), ("maart", 3), ("mag", 5), ("maggio", 5), ("mai", 5), ("maig", 5),
    ("maio", 5), ("maj", 5), ("maja", 5), ("mar", 3), ("marca", 3), ("march", 3), ("marco", 3), ("maret", 3),
    ("marraskuu", 11), ("marraskuuta", 11), ("mars", 3), ("mart", 3), ("martie", 3), ("marts", 3), ("marzec", 3),
    ("marzo", 3), ("març", 3), ("março", 3), ("may", 5), ("mayis", 5), ("mayo", 5), ("mayıs", 5), ("mei", 5),
    ("mrt", 3), ("mrz", 3), ("máj", 5), ("mája", 5), ("május", 5), ("március", 3), ("mär", 3), ("märz", 3),
    ("nisan", 4), ("noiembrie", 11), ("nov", 11), ("november", 11), ("novembra", 11), ("novembre", 11),
    ("novembro", 11), ("noviembre", 11), ("ocak", 1), ("oct", 10), ("october", 10), ("octobre", 10),
    ("octombrie", 10), ("octubre", 10), ("okt", 10), ("oktober", 10), ("október", 10), ("októbra", 10), ("ott", 10),
    ("ottobre", 10), ("out", 10), ("outubro", 10), ("ožujka", 3), ("paź", 10), ("październik", 10),
    ("października", 10), ("prosinca", 12), ("prosince", 12), ("prosinec", 12), ("rujna", 9), ("sep", 9),
    ("sept", 9), ("september", 9), ("septembra", 9), ("septembre", 9), ("septembrie", 9), ("septiembre", 9),
    ("set", 9), ("setembre", 9), ("setembro", 9), ("setiembre", 9), ("settembre", 9), ("sie", 8), ("sierpień", 8),
    ("sierpnia", 8), ("siječnja", 1), ("srpen", 8), ("srpna", 8), ("srpnja", 7), ("studenog", 11),
    ("studenoga", 11), ("sty", 1), ("styczeń", 1), ("stycznia", 1), ("subat", 2), ("svibnja", 5), ("syyskuu", 9),
    ("syyskuuta", 9), ("szeptember", 9), ("tammikuu", 1), ("tammikuuta", 1), ("temmuz", 7), ("toukokuu", 5),
    ("toukokuuta", 5), ("travnja", 4), ("veljače", 2), ("wrz", 9), ("wrzesień", 9), ("września", 9), ("září", 9),
    ("április", 4), ("únor", 2), ("února", 2), ("červen", 6), ("července", 7), ("červenec", 7), ("června", 6),
    ("říjen", 10), ("října", 10), ("şubat", 2), ("απριλίου", 4), ("αυγούστου", 8), ("δεκεμβρίου", 12),
    ("ιανουαρίου", 1), ("ιουλίου", 7), ("ιουνίου", 6), ("μαΐου", 5), ("μαρτίου", 3), ("νοεμβρίου", 11),
    ("οκτωβρίου", 10), ("σεπτεμβρίου", 9), ("φεβρουαρίου", 2), ("авг", 8), ("август", 8), ("августа", 8),
    ("апр", 4), ("апрель", 4), ("апреля", 4), ("април", 4), ("березня", 3), ("вересня", 9), ("грудня", 12),
    ("дек", 12), ("декабрь", 12), ("декабря", 12), ("декември", 12), ("жовтня", 10), ("июль", 7), ("июля", 7),
    ("июнь", 6), ("июня", 6), ("квітня", 4), ("липня", 7), ("листопада", 11), ("лютого", 2), ("май", 5), ("мар", 3),
    ("март", 3), ("марта", 3), ("мая", 5), ("ноември", 11), ("ноя", 11), ("ноябрь", 11), ("ноября", 11),
    ("окт", 10), ("октомври", 10), ("октябрь", 10), ("октября", 10), ("сен", 9), ("сент", 9), ("сентябрь", 9),
    ("сентября", 9), ("септември", 9), ("серпня", 8), ("січня", 1), ("травня", 5), ("фев", 2), ("февраль", 2),
    ("февраля", 2), ("февруари", 2), ("червня", 6), ("юли", 7), ("юни", 6), ("янв", 1), ("январь", 1),
    ("января", 1), ("януари", 1),
];

/// The longest name, in bytes.
const LONGEST: usize = 22;

/// The number of the month that a word names, in whatever case.
pub(super) fn month(word: &str) -> Option<i8> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let at = NAMES.binary_search_by_key(&&*word, |(name, _)| name).ok()?;
    Some(NAMES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert!(NAMES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(NAMES.iter().map(|(name, _)| name.len()).max(), Some(LONGEST));
        assert_eq!(
            [month("MAY"), month("März"), month("Сентября"), month("paź")],
            [Some(5), Some(3), Some(9), Some(10)]
        );
        assert_eq!([month("m"), month("page"), month("")], [None; 3]);
    }
}
