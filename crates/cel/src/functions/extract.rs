//! `extract`, as Google's reference of condition attributes describes it.

/// The part of a text that a template's `{name}` stands for: what lies between the first occurrence of the text before
/// the brace and the next occurrence of the text behind it; a missing one gives the empty text.
pub(super) fn extract<'t>(text: &'t str, template: &str) -> Result<&'t str, String> {
    let wrong =
        || format!("the template `{template}` of `extract` needs one name in braces, as in `/projects/{{name}}/`");
    let (before, rest) = template.split_once('{').ok_or_else(wrong)?;
    let (name, behind) = rest.split_once('}').ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) || behind.contains(['{', '}']) || before.contains('}') {
        return Err(wrong());
    }
    let Some((_, rest)) = text.split_once(before) else { return Ok("") };
    if behind.is_empty() {
        return Ok(rest);
    }
    Ok(rest.split_once(behind).map_or("", |(found, _)| found))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OBJECT: &str =
        "projects/_/buckets/acme-orders-aaa/objects/data_lake/orders/order_date=2019-11-03/aef87g87ae0876";

    #[rstest]
    #[case("/order_date={date}/", "2019-11-03")]
    #[case("buckets/{name}/", "acme-orders-aaa")]
    #[case("/orders/{empty}order_date", "")]
    #[case("{start}/objects/data_lake", "projects/_/buckets/acme-orders-aaa")]
    #[case("orders/{end}", "order_date=2019-11-03/aef87g87ae0876")]
    #[case("{all}", OBJECT)]
    #[case("/orders/{none}/order_date=", "")]
    #[case("nowhere/{name}", "")]
    #[case("{name}nowhere", "")]
    #[case("objects/{name}/buckets", "")]
    fn the_examples_of_the_reference_hold(#[case] template: &str, #[case] expected: &str) {
        assert_eq!(extract(OBJECT, template), Ok(expected));
    }

    #[rstest]
    #[case("no braces")]
    #[case("{}")]
    #[case("{a}{b}")]
    #[case("{a")]
    #[case("}{a}")]
    #[case("{a b}")]
    #[case("{ä}")]
    fn a_template_without_one_plain_name_is_an_error(#[case] template: &str) {
        assert!(extract("text", template).unwrap_err().contains(template));
    }

    #[test]
    fn the_role_of_an_aws_identity_comes_out() {
        let arn = "arn:aws:sts::123456789012:assumed-role/ci-role/session";
        assert_eq!(extract(arn, "{account_arn}assumed-role/"), Ok("arn:aws:sts::123456789012:"));
        assert_eq!(extract(arn, "assumed-role/{role_name}/"), Ok("ci-role"));
    }
}
