use delivery::DocumentHead;

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

/// Stands in for an authority: signs with a hash.
fn sign(document: &MissionDocument) -> DocumentSignature {
    let bytes = blake3::hash(&document.signed_bytes("demo")).as_bytes().to_vec();
    DocumentSignature { authority: [1; 32], bytes }
}

fn verify(message: &[u8], signature: &DocumentSignature) -> Result<(), String> {
    let fits = signature.bytes == blake3::hash(message).as_bytes();
    if fits { Ok(()) } else { Err("it was altered".to_owned()) }
}

#[test]
fn what_a_node_keeps_it_reads_again_and_a_changed_file_is_left_out() {
    let folder = tempfile::tempdir().expect("a directory");
    let kept = DocumentFolder::new(folder.path(), "demo");
    assert!(kept.read(&verify).database.is_none());
    let documents =
        [dictionary(1, None, "V"), dictionary(2, Some(7), "mV"), limits(1, "parameter,red_high\nP,5\n")];
    documents.iter().for_each(|document| kept.keep(document, &sign(document)).expect("there is room"));
    let found = kept.read(&verify);
    assert_eq!((found.documents.as_slice(), found.problem), (&documents[..], None));
    assert_eq!(found.database.map(|database| database.versions().len()), Some(2));
    std::fs::write(folder.path().join("demo/dictionary-2.xml"), "<SpaceSystem/>").expect("written");
    let found = kept.read(&verify);
    assert_eq!(found.database.map(|database| database.versions().len()), Some(1));
    let problem = found.problem.expect("it says what is wrong");
    assert!(problem.contains("dictionary-2.xml was changed"), "{problem}");
}

#[test]
fn a_kept_document_whose_signature_does_not_fit_is_left_out_and_the_one_before_stays() {
    let folder = tempfile::tempdir().expect("a directory");
    let kept = DocumentFolder::new(folder.path(), "demo");
    let (first, second) = (dictionary(1, None, "V"), dictionary(2, Some(7), "mV"));
    kept.keep(&first, &sign(&first)).expect("there is room");
    let check = |change: &dyn Fn(&mut serde_json::Value), reason: &str| {
        kept.keep(&second, &sign(&second)).expect("there is room");
        let file = folder.path().join("demo/dictionary-2.json");
        let mut json = serde_json::from_slice(&std::fs::read(&file).expect("is there")).expect("JSON");
        change(&mut json);
        std::fs::write(&file, json.to_string()).expect("written");
        let found = kept.read(&verify);
        assert_eq!(found.documents, std::slice::from_ref(&first));
        let problem = found.problem.expect("it says what is wrong");
        assert!(problem.contains("STO-DOCUMENT-SIGNATURE") && problem.contains(reason), "{problem}");
    };
    check(&|json| json["document"]["effective_from"] = 8.into(), "altered");
    check(&|json| json["document"]["number"] = 3.into(), "altered");
    check(&|json| json["signature"]["bytes"][0] = 0.into(), "altered");
    check(&|json| json["signature"] = serde_json::Value::Null, "not signed");
    assert_eq!(DocumentFolder::new(folder.path(), "demo").read(&verify).documents.len(), 1);
}

#[test]
fn a_document_comes_to_a_node_as_it_left_the_hub() {
    let author = Some("someone".to_owned());
    let limited = MissionDocument { author, effective_to: Some(TaiTime(9)), ..limits(3, "parameter\n") };
    for document in [dictionary(2, Some(7), "mV"), limited] {
        let held = document.held();
        let head = document.head("demo", held.hash, sign(&document));
        assert_eq!(head.held(), held);
        assert_eq!(
            (head.text_bytes, head.signature.clone()),
            (document.content.len() as u64, sign(&document))
        );
        assert_eq!(head.signed_bytes(), document.signed_bytes("demo"));
        let of_node = DocumentHead { kind: delivery::DocumentKind::Trust, ..head.clone() };
        assert_eq!(MissionDocument::received(of_node, String::new()), Err(OfNode));
        assert_eq!(MissionDocument::received(head, document.content.clone()), Ok(document));
    }
    let wordy = MissionDocument { reason: Some("ä".repeat(2_000)), ..dictionary(1, None, "V") };
    assert_eq!(
        wordy.head("demo", wordy.held().hash, sign(&wordy)).reason,
        Some("ä".repeat(512)),
        "it must fit into a frame"
    );
}
