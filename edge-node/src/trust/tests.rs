use delivery::DocumentHash;
use provisioning::Authority;
use tempfile::TempDir;

use super::*;

const NOW: u64 = 1_795_000_000;

/// Authorities, and a node that was enrolled with the first.
struct World {
    home: TempDir,
    old: Authority,
    new: Authority,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let make = |name: &str| Authority::open_or_create(&home.path().join(name), NOW).expect("made");
        let (old, new) = (make("old"), make("new"));
        Self { home, old, new }
    }

    fn start(&self) -> Trust {
        Trust::of(self.home.path(), Some(list_of(&[&self.old])))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.home.path().join(FOLDER).join(file)
    }
}

fn list_of(authorities: &[&Authority]) -> Authorities {
    let all: Vec<_> = authorities.iter().map(|authority| authority.certificate_der().to_vec()).collect();
    Authorities::from_der(&all).expect("certificates of authorities")
}

fn signed(kind: DocumentKind, number: u32, text: &str, by: &Authority) -> (DocumentHead, String) {
    let mut head = DocumentHead {
        mission: None,
        kind,
        number,
        effective_from: None,
        effective_to: None,
        file_name: kind.word().to_owned(),
        bounds: None,
        author: None,
        reason: None,
        hash: DocumentHash::of(text),
        text_bytes: text.len() as u64,
        packed_bytes: 0,
        signature: DocumentSignature::default(),
    };
    let bytes = by.sign(&head.signed_bytes()).expect("signs");
    head.signature = DocumentSignature { authority: by.spki_sha256(), bytes };
    (head, text.to_owned())
}

fn trust_list(number: u32, authorities: &[&Authority], by: &Authority) -> (DocumentHead, String) {
    signed(DocumentKind::Trust, number, &list_of(authorities).to_pem(), by)
}

fn hub_list(number: u32, address: &str, by: &Authority) -> (DocumentHead, String) {
    let hubs = HubList::from_arguments(&[address.to_owned()]).expect("a hub");
    signed(DocumentKind::Endpoints, number, &hubs.to_text(), by)
}

fn take(trust: &Trust, (head, text): &(DocumentHead, String)) -> Result<(), String> {
    trust.take(head, text.clone()).map_err(|error| error.to_string())
}

/// Ids of the authorities in force.
fn ids(trust: &Trust) -> Vec<String> {
    Authorities::from_der(&trust.certificates()).expect("never empty").ids()
}

#[test]
fn an_authority_is_replaced_over_two_lists_and_after_a_restart_still_is() {
    let world = World::new();
    let (old, new) = (&world.old, &world.new);
    let trust = world.start();
    take(&trust, &trust_list(10, &[old, new], old)).expect("signed by the one in force");
    assert_eq!(ids(&trust), [old.authority_id(), new.authority_id()]);
    take(&trust, &trust_list(11, &[new], new)).expect("signed by one that stays");
    take(&trust, &hub_list(12, "hub.example:1", new)).expect("signed by the one in force");
    for trust in [trust, world.start()] {
        assert_eq!((ids(&trust), trust.problem()), (vec![new.authority_id().to_owned()], None));
        assert_eq!(trust.hubs(), ["hub.example:1"]);
        let held: Vec<_> = trust.holds().iter().map(|held| (held.kind, held.number)).collect();
        assert_eq!(held, [(DocumentKind::Endpoints, 12), (DocumentKind::Trust, 11)]);
        assert!(take(&trust, &hub_list(13, "hub.example:2", old)).is_err(), "it is trusted no more");
    }
}

#[test]
fn a_forged_list_changes_nothing() {
    let world = World::new();
    let (old, new) = (&world.old, &world.new);
    let trust = world.start();
    take(&trust, &hub_list(5, "hub.example:1", old)).expect("signed");
    let check = |list: &(DocumentHead, String), expected: &str| {
        let refused = take(&trust, list).expect_err("forged");
        assert!(refused.contains(expected), "{refused}");
        for trust in [&trust, &world.start()] {
            assert_eq!(
                (ids(trust), trust.hubs()),
                (vec![old.authority_id().to_owned()], vec!["hub.example:1".to_owned()])
            );
            assert_eq!(trust.holds().len(), 1);
        }
    };
    check(&trust_list(9, &[old, new], new), "not trusted here");
    check(&trust_list(9, &[new], old), "leaves out the authority that signed it");
    let good = hub_list(9, "hub.example:9", old);
    let altered = |change: &dyn Fn(&mut DocumentHead)| {
        let mut list = good.clone();
        change(&mut list.0);
        list
    };
    check(&altered(&|head| head.number = 10), "does not fit");
    check(&altered(&|head| head.kind = DocumentKind::Trust), "does not fit");
    check(&altered(&|head| head.signature.bytes[9] ^= 1), "does not fit");
    check(&altered(&|head| head.signature.authority = new.spki_sha256()), "not trusted here");
    check(&(good.0.clone(), good.1.replace("example", "elsewhere")), "another hash");
    check(&hub_list(4, "hub.example:4", old), "STO-DOCUMENT-OLD");
    check(&hub_list(5, "hub.example:4", old), "STO-DOCUMENT-OLD");
    check(&signed(DocumentKind::Endpoints, 9, "{}", old), "list of hubs");
    take(&trust, &good).expect("nothing is wrong with this one");
}

#[test]
fn a_list_that_was_altered_on_the_disk_is_not_used_and_told() {
    let world = World::new();
    let trust = world.start();
    take(&trust, &hub_list(5, "hub.example:1", &world.old)).expect("signed");
    take(&trust, &hub_list(6, "hub.example:2", &world.old)).expect("signed");
    let file = world.path("endpoints-6.json");
    let text = std::fs::read_to_string(&file).expect("kept");
    std::fs::write(&file, text.replace("hub.example:2", "hub.example:3")).expect("written");
    let trust = world.start();
    assert_eq!(trust.hubs(), ["hub.example:1"], "the last good one stays");
    let problem = trust.problem().expect("told");
    assert!(problem.contains("endpoints-6.json") && problem.contains("STO-DOCUMENT-SIGNATURE"), "{problem}");
    std::fs::write(&file, "torn").expect("written");
    let trust = world.start();
    assert_eq!(trust.hubs(), ["hub.example:1"]);
    assert!(trust.problem().is_some_and(|problem| problem.contains("cannot be read")));
    take(&trust, &hub_list(6, "hub.example:2", &world.old)).expect("sent again");
    assert_eq!((trust.problem(), world.start().hubs()), (None, vec!["hub.example:2".to_owned()]));
}

#[test]
fn a_node_that_is_not_enrolled_believes_nobody() {
    let world = World::new();
    let trust = Trust::of(world.home.path(), None);
    let refused = take(&trust, &hub_list(5, "hub.example:1", &world.old)).expect_err("nobody is trusted");
    assert!(refused.contains("not enrolled"), "{refused}");
    assert_eq!((trust.certificates(), trust.holds()), (Vec::new(), Vec::new()));
}
