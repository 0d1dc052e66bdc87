use super::*;

#[test]
fn people_who_change_different_widgets_do_not_meet() {
    let first = with(&[widget("a", 1), widget("b", 1)]);
    let base = first.heads();
    let second = changed(&first, &base, &by("kari", 2), 2, &put(&[widget("a", 2)]));
    let third = changed(&second, &base, &by("ola", 3), 3, &put(&[widget("b", 3)]));
    assert_eq!(copies(&third, "a"), [of("kari", 2)]);
    assert_eq!(copies(&third, "b"), [of("ola", 3)]);
    assert_eq!(third.content().facts().conflicts, 0);
    assert_eq!(third.content().changed, by("ola", 3));
}

#[test]
fn both_copies_of_a_widget_that_two_people_put_are_kept_until_somebody_who_saw_both_settles_it() {
    let first = with(&[widget("a", 1)]);
    let base = first.heads();
    let second = changed(&first, &base, &by("kari", 2), 2, &put(&[widget("a", 2)]));
    let third = changed(&second, &base, &by("ola", 3), 3, &put(&[widget("a", 3)]));
    assert_eq!(copies(&third, "a"), [of("ola", 3), of("kari", 2)]);
    assert_eq!(third.content().facts().conflicts, 1);
    // Kari has not seen Ola's yet, and settles nothing but her own.
    let late = changed(&third, &second.heads(), &by("kari", 4), 4, &put(&[widget("a", 4)]));
    assert_eq!(copies(&late, "a"), [of("kari", 4), of("ola", 3)]);
    let settled = changed(&late, &late.heads(), &by("per", 5), 5, &put(&[widget("a", 2)]));
    assert_eq!(copies(&settled, "a"), [of("per", 2)]);
}

#[test]
fn two_people_who_put_the_same_are_no_conflict() {
    let first = with(&[widget("a", 1)]);
    let second = changed(&first, &first.heads(), &by("kari", 2), 2, &put(&[widget("a", 2)]));
    let third = changed(&second, &first.heads(), &by("ola", 3), 3, &put(&[widget("a", 2)]));
    assert_eq!(copies(&third, "a"), [of("ola", 2)]);
}

#[test]
fn an_edit_outlives_a_removal_that_did_not_see_it() {
    let first = with(&[widget("a", 1), widget("b", 1)]);
    let base = first.heads();
    let (edit, gone) = (put(&[widget("a", 2)]), remove(&["a", "b"]));
    let edited = changed(&first, &base, &by("kari", 2), 2, &edit);
    let removed = changed(&first, &base, &by("ola", 3), 3, &gone);
    for merged in
        [changed(&edited, &base, &by("ola", 3), 3, &gone), changed(&removed, &base, &by("kari", 2), 2, &edit)]
    {
        assert_eq!(copies(&merged, "a"), [of("kari", 2)]);
        assert_eq!(copies(&merged, "b"), []);
    }
    assert_eq!(copies(&changed(&edited, &edited.heads(), &by("ola", 4), 4, &gone), "a"), []);
}

#[test]
fn a_request_that_comes_twice_is_one_change() {
    let first = with(&[widget("a", 1)]);
    let (base, change) = (first.heads(), put(&[widget("a", 2)]));
    let second = changed(&first, &base, &by("kari", 2), 2, &change);
    let third = changed(&second, &second.heads(), &by("ola", 3), 3, &put(&[widget("a", 3)]));
    let again = third.changed(&change, &base, &by("kari", 9), request(2)).expect("is known");
    assert!(again.is_none(), "Ola saw it before: it is not put back");
    for (other, who) in [(put(&[widget("a", 4)]), "kari"), (change, "ola")] {
        let refused = third.changed(&other, &base, &by(who, 9), request(2));
        assert!(matches!(refused, Err(operator_state::ChangeError::RequestId)), "{refused:?}");
    }
    // Something that changes nothing is known by its id as well.
    let idle = changed(&third, &third.heads(), &by("ola", 3), 5, &Change::default());
    let again = idle.changed(&Change::default(), &third.heads(), &by("ola", 3), request(5));
    assert!(again.expect("is known").is_none());
}

#[test]
fn a_dashboard_is_known_by_the_request_that_made_it() {
    let new = |title: &str| NewDashboard::new(title.to_owned(), Audience::Author, vec![widget("a", 1)]);
    let power = new("Power").expect("can be taken");
    let document = DashboardDocument::create(&power, &by("kari", 1), request(1)).expect("fits");
    let later = changed(&document, &document.heads(), &by("kari", 2), 2, &remove(&["a"]));
    assert!(later.was_created_by(&power, &by("kari", 7), request(1)));
    assert!(!later.was_created_by(&new("Heat").expect("can be taken"), &by("kari", 7), request(1)));
    assert!(!later.was_created_by(&power, &by("ola", 7), request(1)));
    assert!(!later.was_created_by(&power, &by("kari", 7), request(3)));
}

#[test]
fn of_titles_the_later_and_of_audiences_the_smaller_counts() {
    let first = with(&[]);
    let of = |title: &str, audience| {
        Change::new(vec![], vec![], Some(title.to_owned()), Some(audience)).expect("can be taken")
    };
    let (wide, narrow) = (of("Heat", Audience::Everyone), of("Power and heat", Audience::Author));
    let check = |one: (&Change, i64, u8), other: (&Change, i64, u8)| {
        let second = changed(&first, &first.heads(), &by("kari", one.1), one.2, one.0);
        let merged = changed(&second, &first.heads(), &by("kari", other.1), other.2, other.0);
        assert_eq!(merged.content().title, "Heat");
        assert_eq!(merged.content().audience, Audience::Author);
    };
    check((&wide, 9, 2), (&narrow, 8, 3));
    check((&narrow, 8, 3), (&wide, 9, 2));
}

#[test]
fn who_knows_nothing_of_the_history_that_is_kept_overwrites_nothing() {
    let first = with(&[widget("a", 1), widget("b", 1)]);
    let elsewhere = changed(&with(&[]), &with(&[]).heads(), &by("per", 1), 9, &put(&[widget("c", 1)]));
    for base in [Heads::default(), elsewhere.heads()] {
        let change = Change::new(vec![widget("a", 2)], vec!["b".to_owned()], None, None);
        let merged = changed(&first, &base, &by("ola", 2), 2, &change.expect("can be taken"));
        assert_eq!(copies(&merged, "a"), [of("ola", 2), of("kari", 1)]);
        assert_eq!(copies(&merged, "b"), [of("kari", 1)], "somebody who never saw it does not remove it");
    }
}

#[test]
fn what_is_loaded_is_what_was_saved() {
    let first = with(&[widget("a", 1), widget("b", 1)]);
    let second = changed(&first, &first.heads(), &by("kari", 2), 2, &put(&[widget("a", 2)]));
    let third = changed(&second, &first.heads(), &by("ola", 3), 3, &put(&[widget("a", 3)]));
    let loaded = DashboardDocument::load(third.bytes().to_vec()).expect("loads");
    assert_eq!(loaded.content(), third.content());
    assert_eq!(loaded.heads(), third.heads());
    let heads: Heads = third.heads().to_string().parse().expect("heads");
    assert_eq!(heads, third.heads());
    let put = put(&[widget("b", 4)]);
    let changed = [&loaded, &third].map(|document| changed(document, &heads, &by("per", 4), 4, &put));
    assert_eq!(changed[0].bytes(), changed[1].bytes(), "the same acts give the same bytes");
}
