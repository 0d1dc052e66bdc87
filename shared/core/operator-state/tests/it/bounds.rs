use operator_state::{
    CONTENT_BYTES_MAX, COPIES_MAX, ChangeError, Excess, FileError, TITLE_CHARS_MAX, WIDGET_BYTES_MAX,
    WIDGETS_MAX,
};

use super::*;

#[test]
fn a_widget_that_does_not_lie_on_the_grid_is_refused_by_the_place_where_it_stands() {
    let check = |change: fn(&mut WidgetFields), told: &str| {
        let mut fields = fields("a", 1);
        change(&mut fields);
        let refused = Widget::new(fields, "widgets[3]").expect_err(told);
        assert_eq!(refused.to_string(), told);
    };
    check(
        |fields| fields.id = "a b".to_owned(),
        "widgets[3].id is \"a b\"; taken is 1 to 64 letters, digits, `-` and `_`",
    );
    check(
        |fields| fields.kind = "Gauge".to_owned(),
        "widgets[3].kind is \"Gauge\"; taken is 1 to 64 lower-case letters, digits and `-`",
    );
    check(|fields| fields.x = 24, "widgets[3].x is 24; taken is 0 to 23");
    check(|fields| fields.y = 10_000, "widgets[3].y is 10000; taken is 0 to 9999");
    check(|fields| fields.w = 0, "widgets[3].w is 0; taken is 1 to 24 behind column 0");
    check(|fields| (fields.x, fields.w) = (20, 5), "widgets[3].w is 5; taken is 1 to 4 behind column 20");
    check(|fields| fields.h = 101, "widgets[3].h is 101; taken is 1 to 100");
    check(
        |fields| drop(fields.opts.insert("text".to_owned(), "x".repeat(WIDGET_BYTES_MAX).into())),
        "widgets[3] is 16462 bytes; taken is a widget of at most 16384 bytes as JSON",
    );
    let mut last = fields("a", 1);
    (last.x, last.w, last.y, last.h) = (23, 1, 9_999, 100);
    assert!(Widget::new(last, "widgets[0]").is_ok());
}

#[test]
fn a_change_that_contradicts_itself_is_refused_by_the_place_where_it_does() {
    let check = |found: Result<Change, FileError>, told: &str| {
        assert_eq!(found.expect_err(told).to_string(), told);
    };
    let change = |put: &[Widget], remove: &[&str], title: Option<&str>| {
        let remove = remove.iter().map(|&id| id.to_owned()).collect();
        Change::new(put.to_vec(), remove, title.map(str::to_owned), None)
    };
    check(
        change(&[widget("a", 1), widget("b", 1), widget("a", 2)], &[], None),
        "put[2].id is \"a\"; taken is another id than that of put[0]",
    );
    check(
        change(&[widget("a", 1)], &["b", "a"], None),
        "remove[1] is \"a\"; taken is the id of a widget that is not put as well",
    );
    check(change(&[], &["<b>"], None), "remove[0] is \"<b>\"; taken is 1 to 64 letters, digits, `-` and `_`");
    for title in ["", " ", "two\nlines", &"t".repeat(TITLE_CHARS_MAX + 1)] {
        assert_eq!(change(&[], &[], Some(title)).expect_err(title).place, "title");
    }
    let ids: Vec<String> = (0..=WIDGETS_MAX).map(|number| number.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    check(change(&[], &ids, None), "remove is 201; taken is at most 200 ids");
    assert!(change(&[], &[], Some(&"\u{202e}ø".repeat(TITLE_CHARS_MAX / 2))).is_ok());
}

#[test]
fn a_merge_that_would_be_more_than_is_kept_changes_nothing() {
    let many = |prefix: &str, count: usize| -> Vec<Widget> {
        (0..count).map(|number| widget(&format!("{prefix}{number}"), 1)).collect()
    };
    let first = with(&many("a", 150));
    let second = changed(&first, &first.heads(), &by("kari", 2), 2, &put(&many("b", 50)));
    let refused = second.changed(&put(&many("c", 1)), &first.heads(), &by("ola", 3), request(3));
    assert!(matches!(refused, Err(ChangeError::Full(Excess::Widgets(201)))), "{refused:?}");

    let large = |id: &str| {
        let mut fields = fields(id, 1);
        fields.opts.insert("text".to_owned(), "x".repeat(16_000).into());
        Widget::new(fields, "widget").expect("fits")
    };
    let full: Vec<Widget> = (0..65).map(|number| large(&number.to_string())).collect();
    let first = with(&full);
    let refused = first.changed(&put(&[large("a")]), &first.heads(), &by("ola", 3), request(3));
    let Err(ChangeError::Full(Excess::Bytes(bytes))) = refused else { panic!("one more was taken") };
    assert!(bytes > CONTENT_BYTES_MAX, "{bytes}");
}

#[test]
fn copies_that_nobody_settles_stop_at_a_bound() {
    let first = with(&[widget("a", 0)]);
    let mut document = first.clone();
    for number in 0..COPIES_MAX as u8 {
        let who = by("ola", 10 + i64::from(number));
        document =
            changed(&document, &first.heads(), &who, 2 + number, &put(&[widget("a", 1 + u32::from(number))]));
    }
    assert_eq!(copies(&document, "a").len(), COPIES_MAX);
    let refused = document.changed(&put(&[widget("a", 99)]), &first.heads(), &by("per", 99), request(99));
    let told = refused.expect_err("is full").to_string();
    assert_eq!(
        told,
        "the dashboard would have 17 copies of widget a, and at most 16 are kept until somebody settles which is right; it is as it was"
    );
    let settled = changed(&document, &document.heads(), &by("per", 99), 98, &put(&[widget("a", 99)]));
    assert_eq!(copies(&settled, "a"), [of("per", 99)]);
}

#[test]
fn heads_stay_few_however_many_people_go_back_to_the_same_state() {
    let first = with(&[widget("a", 0)]);
    let mut document = first.clone();
    for number in 0..60_u8 {
        let id = format!("w{number}");
        let who = by("ola", 10 + i64::from(number));
        document = changed(&document, &first.heads(), &who, 2 + number, &put(&[widget(&id, 1)]));
        let heads = document.heads().to_string();
        assert!(heads.split('.').count() <= 16, "{heads}");
        assert_eq!(heads.parse::<Heads>().expect("can be sent"), document.heads());
    }
    assert_eq!(document.content().widgets.len(), 61);
}

#[test]
fn a_document_with_a_long_history_is_written_anew_and_keeps_what_it_holds() {
    let mut document = with(&[widget("a", 0), widget("b", 0)]);
    let mut anew = None;
    for number in 0..300_u32 {
        let before = document.clone();
        let id = RequestId(u128::from(number + 2).to_le_bytes());
        let who = by("ola", 10 + i64::from(number));
        let (base, change) = (before.heads(), put(&[widget("a", number)]));
        document = before.changed(&change, &base, &who, id).expect("is merged").expect("is new");
        assert!(document.changed(&change, &base, &who, id).expect("is known").is_none(), "{number}");
        if document.bytes().len() < before.bytes().len() {
            anew = Some((before, number));
        }
    }
    let (before, number) = anew.expect("so many changes were reached");
    assert!(number >= 240, "{number}");
    assert_eq!(copies(&document, "a"), [of("ola", 299)]);
    assert_eq!(copies(&document, "b"), [of("kari", 0)]);
    assert_eq!(document.content().author, "kari");
    // Somebody still has it as it was before: what they put stands beside what is there.
    let late = changed(&document, &before.heads(), &by("per", 9_999), 250, &put(&[widget("a", 7)]));
    assert_eq!(copies(&late, "a"), [of("per", 7), of("ola", 299)]);
}

#[test]
fn what_is_written_anew_keeps_its_conflicts() {
    let first = with(&[widget("a", 0), widget("b", 0)]);
    let base = first.heads();
    let second = changed(&first, &base, &by("kari", 2), 2, &put(&[widget("a", 2)]));
    let mut document = changed(&second, &base, &by("ola", 3), 3, &put(&[widget("a", 3)]));
    let mut was_anew = false;
    for number in 0..260_u32 {
        let (id, who) =
            (RequestId(u128::from(number + 1_000).to_le_bytes()), by("per", 10 + i64::from(number)));
        let next = document.changed(&put(&[widget("b", number)]), &document.heads(), &who, id);
        let next = next.expect("is merged").expect("is new");
        was_anew |= next.bytes().len() < document.bytes().len();
        document = next;
    }
    assert!(was_anew);
    assert_eq!(copies(&document, "a"), [of("ola", 3), of("kari", 2)]);
    let settled = changed(&document, &document.heads(), &by("per", 9_999), 250, &put(&[widget("a", 4)]));
    assert_eq!(copies(&settled, "a"), [of("per", 4)]);
}

#[test]
fn heads_that_are_none_are_refused() {
    for text in ["x", ".", "00", &"0".repeat(63), &"0".repeat(65), &"0".repeat(64 * 65), "ø"] {
        assert!(text.parse::<Heads>().is_err(), "{text}");
    }
    assert_eq!("".parse::<Heads>(), Ok(Heads::default()));
}
