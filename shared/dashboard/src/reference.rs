//! The API reference as a page: made of the OpenAPI document, without scripts and without anything from another host.

use std::fmt::Write;

use serde_json::{Map, Value};

/// How the page looks. A file of its own, because the pages' policy allows no styles inside them.
pub(crate) const STYLE: &str = include_str!("reference.css");
/// Where the page finds it.
pub(crate) const STYLE_PATH: &str = "/api/docs/style.css";

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page of an OpenAPI document.
pub(crate) fn page(document: &Value) -> String {
    let (title, description) = (&document["info"]["title"], prose(&document["info"]["description"]));
    let (mut contents, mut routes, mut schemas) = (String::new(), String::new(), String::new());
    for (path, item) in entries(&document["paths"]) {
        for method in METHODS {
            let operation = &item[method];
            if operation.is_object() {
                route(&mut contents, &mut routes, (method, path), operation);
            }
        }
    }
    for (name, schema) in entries(&document["components"]["schemas"]) {
        described(&mut schemas, name, schema);
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}: API</title><link rel=\"stylesheet\" href=\"{STYLE_PATH}\"></head>\
         <body><h1>{title}: API</h1><p>{description} For programs: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>\
         <nav><ul>{contents}</ul></nav><h2>Routes</h2>{routes}<h2>Shapes</h2>{schemas}</body></html>\n",
        title = escaped(title.as_str().unwrap_or_default()),
    )
}

fn route(contents: &mut String, out: &mut String, (method, path): (&str, &str), operation: &Value) {
    let anchor = format!("{method}{}", path.replace(['/', '{', '}'], "-"));
    let (name, path) = (method.to_uppercase(), escaped(path));
    write(contents, format_args!("<li><a href=\"#{anchor}\"><code>{name} {path}</code></a></li>"));
    let what = prose(if operation["summary"].is_string() {
        &operation["summary"]
    } else {
        &operation["description"]
    });
    write(out, format_args!("<section id=\"{anchor}\"><h3><b>{name}</b> {path}</h3><p>{what}</p><table>"));
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let need = if parameter["required"] == true { "" } else { ", optional" };
        let kind = format!("{}{need}", kind(&parameter["schema"]));
        row(out, parameter["name"].as_str().unwrap_or_default(), &kind, &prose(&parameter["description"]));
    }
    for (_, content) in entries(&operation["requestBody"]["content"]) {
        row(out, "body", &kind(&content["schema"]), "");
    }
    for (status, response) in entries(&operation["responses"]) {
        let schema = entries(&response["content"]).next().map(|(_, content)| kind(&content["schema"]));
        row(out, status, &schema.unwrap_or_default(), &prose(&response["description"]));
    }
    out.push_str("</table></section>");
}

fn described(out: &mut String, name: &str, schema: &Value) {
    let name = escaped(name);
    write(
        out,
        format_args!("<section id=\"{name}\"><h3>{name}</h3><p>{}</p>", prose(&schema["description"])),
    );
    fields(out, schema);
    for variant in variants(schema) {
        write(out, format_args!("<p>{} {}</p>", kind(variant), prose(&variant["description"])));
        fields(out, variant);
    }
    out.push_str("</section>");
}

fn fields(out: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object().filter(|properties| !properties.is_empty())
    else {
        return;
    };
    out.push_str("<table>");
    for (name, property) in properties {
        row(out, name, &kind(property), &prose(&property["description"]));
    }
    out.push_str("</table>");
}

fn row(out: &mut String, name: &str, kind: &str, description: &str) {
    let name = escaped(name);
    write(out, format_args!("<tr><td><code>{name}</code></td><td>{kind}</td><td>{description}</td></tr>"));
}

/// What kind of value a schema is, with links to the shapes it names.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{name}\">{name}</a>", name = escaped(name));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("<code>{}</code>", escaped(&plain(value))));
        return values.collect::<Vec<_>>().join(", ");
    }
    let any: Vec<String> = variants(schema).map(kind).collect();
    if !any.is_empty() {
        return any.join(" or ");
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(plain).collect::<Vec<_>>().join(" or "),
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        other => plain(other),
    }
}

fn variants(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf", "allOf"].into_iter().flat_map(|name| schema[name].as_array().into_iter().flatten())
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

/// Text of a comment: what stands in backticks is code.
fn prose(text: &Value) -> String {
    let text = escaped(text.as_str().unwrap_or_default());
    let parts = text.split('`').enumerate();
    parts
        .map(|(place, part)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_names_every_route_with_its_parameters_refusals_and_shapes() {
        let document = serde_json::to_value(crate::openapi()).expect("JSON");
        let page = page(&document);
        for (path, item) in entries(&document["paths"]) {
            for method in METHODS.into_iter().filter(|method| item[*method].is_object()) {
                let heading = format!("<b>{}</b> {path}</h3>", method.to_uppercase());
                assert!(page.contains(&heading), "{heading}");
                for parameter in item[method]["parameters"].as_array().into_iter().flatten() {
                    let name = parameter["name"].as_str().expect("a name");
                    assert!(page.contains(&format!("<td><code>{name}</code></td>")), "{path} {name}");
                }
            }
        }
        for (name, _) in entries(&document["components"]["schemas"]) {
            assert!(page.contains(&format!("<section id=\"{name}\">")), "{name}");
        }
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "{link} leads somewhere");
        }
        let foreign = ["<script", "style=", "http:", "https:", "src="];
        assert!(foreign.iter().all(|one| !page.contains(one)), "nothing the policy of the pages forbids");
    }

    #[test]
    fn what_a_comment_says_is_text_and_never_markup() {
        let text = Value::String("`a < b` & <script>".to_owned());
        assert_eq!(prose(&text), "<code>a &lt; b</code> &amp; &lt;script&gt;");
    }
}
