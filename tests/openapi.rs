//! The API is described as it is: the committed document is the generated one, and every route of it is served.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;

use lapsed::api::openapi;
use lapsed::api::routes::{Method, ROUTES};
use lapsed::domain::actor::Role;

use support::api::Api;
use support::{Site, TWO_NAS, code, lapsed, text};

#[test]
fn the_committed_document_is_the_generated_one() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let committed = fs::read_to_string(committed).unwrap_or_default();
    let same = committed == openapi::text().unwrap();
    assert!(same, "docs/openapi.json is not what the code says; make it anew: bin/lapsed openapi >docs/openapi.json");
    let printed = lapsed(&["openapi"]).output().unwrap();
    assert_eq!((code(&printed), text(&printed.stdout)), (0, committed.as_str()));
}

#[test]
fn every_route_is_served_by_its_methods_and_no_other() {
    let site = Site::new(TWO_NAS);
    let tokens = Role::ALL.map(|role| (role, site.token(role.name(), role.name())));
    let _daemon = site.start();
    for route in ROUTES.iter().filter(|route| route.may.is_some()) {
        let path = route.path.replace("{id}", &"0".repeat(32)).replace("{sequence}", "0");
        let (_, token) = tokens.iter().find(|(role, _)| route.may.is_some_and(|may| may(*role))).unwrap();
        let ask = |method: &str, path: &str| Api::connect(&site.path("api.sock"), token).ask(method, path, &[], b"{}");
        let (head, body) = ask(route.method.name(), &path);
        let wrong = ["HTTP/1.1 405 ", "no-such-path"];
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(
            !wrong.iter().any(|wrong| head.starts_with(wrong) || body.contains(wrong)),
            "{} {head}{body}",
            route.path
        );
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let named = ROUTES.iter().any(|other| other.path == route.path && other.method.name() == method);
            if !named {
                let (head, body) = ask(method, &path);
                assert!(head.starts_with("HTTP/1.1 405 "), "{method} {path}: {head}");
                assert!(
                    head.contains(&format!("allow: {}", route.method.name())) || head.contains("allow: GET"),
                    "{head}"
                );
                assert!(text(&body).contains("/problems/no-such-method"), "{method} {path}: {head}");
            }
        }
        let (head, body) = ask(Method::Get.name(), &format!("{path}/x/y/z"));
        assert!(head.starts_with("HTTP/1.1 404 ") && text(&body).contains("/problems/"), "{path}: {head}");
    }
}
