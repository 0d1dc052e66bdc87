use super::*;

fn dictionary(number: u32, from: Option<i64>, unit: &str) -> MissionDocument {
    let content = format!(
        "<SpaceSystem name=\"D\"><TelemetryMetaData><ParameterTypeSet><IntegerParameterType name=\"T\"><UnitSet><Unit>{unit}\
         </Unit></UnitSet><IntegerDataEncoding sizeInBits=\"8\"/></IntegerParameterType></ParameterTypeSet><ParameterSet>\
         <Parameter name=\"P\" parameterTypeRef=\"T\"/></ParameterSet></TelemetryMetaData></SpaceSystem>"
    );
    MissionDocument {
        kind: DocumentKind::Dictionary,
        number,
        effective_from: from.map(TaiTime),
        effective_to: None,
        file_name: "d.xml".to_owned(),
        bounds: None,
        author: None,
        reason: None,
        content,
    }
}

fn limits(number: u32, content: &str) -> MissionDocument {
    MissionDocument {
        kind: DocumentKind::Limits,
        file_name: "l.csv".to_owned(),
        bounds: Some(Bounds::Good),
        content: content.to_owned(),
        ..dictionary(number, None, "")
    }
}

#[test]
fn documents_make_a_database_whatever_order_they_come_in() {
    let limited = limits(1, "parameter,warning_high\nP,5\n");
    let documents = [limited, dictionary(2, Some(100), "mV"), dictionary(1, Some(50), "V")];
    let database = database(&documents).expect("they fit");
    assert_eq!(database.at(TaiTime(0)).version, VersionNumber(1), "the first is in force before it begins");
    assert_eq!(database.at(TaiTime(100)).version, VersionNumber(2));
    assert_eq!(database.newest().limits, Some(1));
}

#[test]
fn a_broken_document_says_where() {
    let broken = MissionDocument { content: "<SpaceSystem".to_owned(), ..dictionary(1, None, "V") };
    let error = database(&[broken]).expect_err("it is broken").to_string();
    assert!(error.starts_with("d.xml:1:"), "{error}");
    assert_eq!(database(&[]).map(drop), Err(DocumentError::NoDictionary));
}

#[test]
fn what_a_node_keeps_it_reads_again_and_a_changed_file_is_left_out() {
    let folder = tempfile::tempdir().expect("a directory");
    let kept = DocumentFolder::new(folder.path(), "demo");
    assert!(kept.read().database.is_none());
    let documents =
        [dictionary(1, None, "V"), dictionary(2, Some(7), "mV"), limits(1, "parameter,red_high\nP,5\n")];
    documents.iter().for_each(|document| kept.keep(document).expect("there is room"));
    let found = kept.read();
    assert_eq!((found.documents.as_slice(), found.problem), (&documents[..], None));
    assert_eq!(found.database.map(|database| database.versions().len()), Some(2));
    std::fs::write(folder.path().join("demo/dictionary-2.xml"), "<SpaceSystem/>").expect("written");
    let found = kept.read();
    assert_eq!(found.database.map(|database| database.versions().len()), Some(1));
    let problem = found.problem.expect("it says what is wrong");
    assert!(problem.contains("dictionary-2.xml was changed"), "{problem}");
}

#[test]
fn a_document_comes_to_a_node_as_it_left_the_hub() {
    let author = Some("someone".to_owned());
    let limited = MissionDocument { author, effective_to: Some(TaiTime(9)), ..limits(3, "parameter\n") };
    for document in [dictionary(2, Some(7), "mV"), limited] {
        let held = document.held();
        let head = document.head("demo", held.hash, 5);
        assert_eq!(head.held(), held);
        assert_eq!((head.text_bytes, head.packed_bytes), (document.content.len() as u64, 5));
        assert_eq!(MissionDocument::received(head, document.content.clone()), document);
    }
    let wordy = MissionDocument { reason: Some("ä".repeat(2_000)), ..dictionary(1, None, "V") };
    assert_eq!(
        wordy.head("demo", wordy.held().hash, 5).reason,
        Some("ä".repeat(512)),
        "it must fit into a frame"
    );
}
