//! An earlier page with other names of atoms, or links to genome browsers.

use serde_json::{Value, json};

use super::{PAGE_FORMAT, Settings, about, escape};

const BEGIN: &str = "<script type=\"application/json\" id=\"about\">";
const END: &str = "</script>";
/// The last bytes of every page.
const LAST: &str = "</body>\n</html>\n";

/// The reason why a file is not taken as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPage {
    /// It is something else, or a page without the extended tables.
    Other,
    /// Its end is missing.
    Cut,
    /// It is one of another version of the program.
    Version(String),
}

/// The greatest length of what a page says of itself as data: names of atoms are the most of it.
const LONGEST: usize = 16 << 20;

/// The same page with these settings; of what they leave out it keeps its own.
///
/// # Errors
/// Text that is no page of this version.
pub fn redress(page: &str, settings: &Settings) -> Result<String, NoPage> {
    let (before, rest) = page.split_once(BEGIN).ok_or(NoPage::Other)?;
    let (about, after) = rest.split_once(END).ok_or(NoPage::Cut)?;
    if !after.ends_with(LAST) {
        return Err(NoPage::Cut);
    }
    if about.len() > LONGEST {
        return Err(NoPage::Other);
    }
    let mut about: Value = serde_json::from_str(about).map_err(|_| NoPage::Other)?;
    let version = about
        .get("version")
        .and_then(Value::as_str)
        .unwrap_or("unknown");
    if version != env!("CARGO_PKG_VERSION") || about.get("page") != Some(&json!(PAGE_FORMAT)) {
        return Err(NoPage::Version(version.to_owned()));
    }
    if let Some(fields) = about.as_object_mut() {
        let given = about::settings(settings).into_iter();
        fields.extend(given.filter(|(_, value)| !value.is_null() && *value != json!({})));
    }
    let about = escape::json(&about.to_string());
    Ok([before, BEGIN, &about, END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, LAST, NoPage, PAGE_FORMAT, redress};
    use crate::report::html::{Genome, Settings};

    fn page(version: &str, last: &str) -> String {
        let about = format!(
            "{{\"page\":{PAGE_FORMAT},\"version\":\"{version}\",\"genome\":null,\"labels\":{{}},\"tp\":3}}"
        );
        format!("<p>a</p>{BEGIN}{about}{END}<p>b</p>{last}")
    }

    #[test]
    fn redress_changes_settings_and_nothing_else() {
        let settings = Settings {
            genome: Some(Genome::Hg38),
            labels: [(3, "</script>".to_owned())].into(),
        };
        let own = env!("CARGO_PKG_VERSION");
        let found = redress(&page(own, LAST), &settings).expect("a page");
        assert!(found.starts_with("<p>a</p>") && found.ends_with(&format!("<p>b</p>{LAST}")));
        assert!(found.contains("\"genome\":\"hg38\"") && found.contains("\"tp\":3"));
        assert!(found.contains("{\"3\":\"\\u003c/script>\"}"), "{found}");
        let kept = redress(&found, &Settings::default()).expect("a page");
        assert_eq!(kept, found);
    }

    #[test]
    fn redress_refuses_what_is_no_page_of_this_version() {
        let refused = |page: &str| redress(page, &Settings::default()).expect_err("no page");
        assert_eq!(refused("<p>"), NoPage::Other);
        assert_eq!(refused(BEGIN), NoPage::Cut);
        assert_eq!(refused(&page(env!("CARGO_PKG_VERSION"), "")), NoPage::Cut);
        assert_eq!(
            refused(&page("0.0.0", LAST)),
            NoPage::Version("0.0.0".into())
        );
    }
}
