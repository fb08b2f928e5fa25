use proptest::prelude::*;
use tokenrig_protos::{PathTemplate, Verb, table};

proptest! {
    #[test]
    fn any_text_is_a_template_or_a_fault(text in "(/|[a-z]|\\{|\\}|=|\\*|:|\\.){0,40}|.{0,60}") {
        if let Ok(template) = PathTemplate::parse(&text) {
            prop_assert_eq!(template.text(), text.as_str());
            let _ = template.expand(|_| Some("a/b"));
        }
    }

    #[test]
    fn any_path_names_a_method_or_none(path in "/v[12]/(projects|roles|[a-z:%/@*-]{0,12}/?){0,40}|.{0,80}") {
        for host in table().hosts() {
            for verb in Verb::ALL {
                let _ = host.match_rest(verb, &path);
            }
        }
    }

    #[test]
    fn a_path_written_from_values_gives_them_back(parts in prop::collection::vec("[^/\\x00]{1,12}", 8), at in 0_usize..1000) {
        let methods = table().methods();
        let method = methods[at % methods.len()];
        let rule = &method.rules[0];
        let mut parts = parts.iter().cycle();
        let values: Vec<(String, String)> = rule.template.variables().iter().map(|variable| {
            let segments = &rule.template.segments()[variable.start..variable.end];
            let value: Vec<&str> = segments.iter().map(|segment| match segment {
                tokenrig_protos::Segment::Literal(text) => text.as_str(),
                _ => parts.next().unwrap().as_str(),
            }).collect();
            (variable.field.clone(), value.join("/"))
        }).collect();
        let path = rule.template.expand(|field| values.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())).unwrap();
        let found = table().match_rest(method.host, rule.verb, &path).unwrap();
        prop_assert_eq!(found.method.id, method.id);
        let found: Vec<(String, String)> = found.values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        prop_assert_eq!(found, values);
    }
}
