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

fn model(number: u32, channel: &str) -> MissionDocument {
    let values: Vec<f64> = (0..120).map(|place| f64::from(place % 7)).collect();
    let options = model::ForecastOptions { units: 16, epochs: 1, seed: u64::from(number) };
    let forecaster = model::Forecaster::fit(&values, &[], 0, &options).expect("learns").model;
    let data = model::TrainingData {
        description: "made for a test".to_owned(),
        span: None,
        examples: 120,
        anomalous: 0,
        sha256: [0; 32],
    };
    let document = model::ModelDocument {
        number: 1,
        channels: vec![channel.to_owned()],
        inputs: Vec::new(),
        data,
        seed: u64::from(number),
        model: model::Model::Forecaster(forecaster),
    };
    let content = encode_model(&document.encode().expect("small"));
    MissionDocument { kind: DocumentKind::Model, number, content, ..dictionary(number, None, "") }
}

fn rules(number: u32, content: &str) -> MissionDocument {
    MissionDocument {
        kind: DocumentKind::AlarmRules,
        number,
        file_name: "alarms.toml".to_owned(),
        content: content.to_owned(),
        ..dictionary(number, None, "")
    }
}

#[test]
fn the_newest_rules_count_and_of_models_for_the_same_channels_the_newest() {
    let since =
        |from: i64, model: MissionDocument| MissionDocument { effective_from: Some(TaiTime(from)), ..model };
    let models = [since(7, model(3, "/A")), since(5, model(1, "/A")), model(2, "/B")];
    let documents: Vec<_> =
        [rules(1, "version = 1"), rules(2, "version = 2")].into_iter().chain(models).collect();
    let watching = Watching::of(&documents);
    assert_eq!(watching.alarm_rules.map(|rules| rules.number), Some(2));
    assert_eq!(watching.detection_rules, None);
    let numbers: Vec<_> = watching.models.iter().map(|model| (model.number, model.seed)).collect();
    assert_eq!(numbers, [(3, 3), (2, 2)]);
    assert_eq!(watching.models_since.into_iter().collect::<Vec<_>>(), [(3, TaiTime(7))]);
    assert_eq!(Watching::superseded(&documents), [(DocumentKind::AlarmRules, 1), (DocumentKind::Model, 1)]);
}

#[test]
fn rules_count_although_one_is_wrong_and_what_says_nothing_is_refused() {
    let database = database(&[dictionary(1, None, "V")]).expect("it fits");
    let check = |document: &MissionDocument| with_document(&database, document).map(drop);
    let good = "version = 1\n[[rule]]\nname = \"a\"\n";
    assert_eq!(check(&rules(1, good)), Ok(()));
    assert_eq!(check(&rules(1, &format!("{good}[[rule]]\nname = 7\n"))), Ok(()));
    let refused =
        check(&rules(1, "version = 1\n[[rule]]\nname = 7\n")).expect_err("nothing is left").to_string();
    assert!(refused.starts_with("alarms.toml:3:"), "{refused}");
    let mut forged = model(1, "/A");
    assert_eq!(check(&forged), Ok(()));
    forged.content.replace_range(100..101, if &forged.content[100..101] == "A" { "B" } else { "A" });
    assert!(check(&forged).expect_err("its hash is another").to_string().contains("SHA-256"));
    forged.content.truncate(40);
    assert!(check(&forged).is_err());
    assert!(check(&rules(1, "version = 1")).is_ok(), "the built-in rules are rules");
    assert!(check(&rules(1, "")).is_err(), "nobody meant an empty file");
}
