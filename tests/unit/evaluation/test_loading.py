"""Other people's files: other words in their labels are understood, and what is wrong is named with its remedy."""

import gzip
from pathlib import Path

import pytest

from core.errors import RegisterError
from evaluation.evaluate import evaluate
from evaluation.labels import labelled_out
from evaluation.recorded import home_of, load_sources
from evaluation.report import table

HOMES = """
[a]
residents = 1
[a.sensors]
door = { kind = "contact", room = "entry", exterior = true }
back = { kind = "contact", room = "Kitchen", exterior = true }
pir = { kind = "motion", room = "conservatory" }
"""


def days(count: int) -> str:
    rows = [
        f"2026-01-{day:02}T{hour:02}:{minute:02}:00,{sensor},{value}"
        for day in range(1, count + 1)
        for hour in range(7, 22)
        for minute, sensor, value in (
            (0, "pir", "ON"), (1, "pir", "OFF"), (30, "door" if hour % 2 else "back", "OPEN"),
            (31, "door" if hour % 2 else "back", "CLOSE"),
        )
    ]  # fmt: skip
    return "ts,sensor,value\n" + "\n".join(rows) + "\n"


def write(folder: Path, homes: str = HOMES, rows: "str | None" = None, labels: "str | None" = None) -> Path:
    (folder / "homes.toml").write_text(homes)
    (folder / "a.csv.gz").write_bytes(gzip.compress((days(9) if rows is None else rows).encode()))
    if labels is not None:
        (folder / "a.labels.csv.gz").write_bytes(gzip.compress(labels.encode()))
    return folder


def judged(folder: Path) -> "dict[str, object]":
    return evaluate(folder, 1, lambda done, total: None)


def test_a_home_without_labels_with_two_exterior_doors_and_a_strange_room_is_scored(tmp_path: Path) -> None:
    found = judged(write(tmp_path))
    assert found["days"] == {"a": 1}
    (home,) = [home_of(source) for source in load_sources(tmp_path)]
    assert home.has_door
    assert len(home.signs) == 9 * 15 * 3 - 3  # what each sensor says first is compared with nothing


def test_rows_that_come_twice_change_nothing(tmp_path: Path) -> None:
    once = judged(write(tmp_path))
    header, *rows = days(9).splitlines()
    assert judged(write(tmp_path, rows="\n".join([header, *(row for row in rows for _ in range(2))]))) == once


def test_a_recording_of_a_week_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path, HOMES + HOMES.replace("[a", "[b"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(days(7).encode()))
    found = judged(tmp_path)
    assert found["left_out"] == ["b"]
    assert str(table(found).caption).endswith(": b")


@pytest.mark.parametrize(
    ("left", "entered"),
    [
        ("Leave_Home", "Enter_Home"), ("leave-house", None), ("Leaving", None), ("out", None), ("Out of home", None),
        ("Outing", None), ("go out", "come home"), ("Leaves house", "Returns home"), ("外出", None), ("出门", "回家"),
        ("离家", "到家"),
    ],
)  # fmt: skip
def test_an_outing_is_known_in_these_words(tmp_path: Path, left: str, entered: "str | None") -> None:
    rows = [f"2026-01-08T10:00:00,2026-01-08T10:{'01' if entered else '40'}:00,{left}"]
    if entered:
        rows.append(f"2026-01-08T10:40:00,2026-01-08T10:41:00,{entered}")
    rows.append("2026-01-08T12:30:00,2026-01-08T09:30:00,Toileting")  # slips of the pen that say nothing of outings
    rows += [f"2026-01-08T{hour}:00:00,2026-01-08T{hour}:01:00,{other}" for hour, other in
             ((12, "Cook"), (13, "Relax"), (14, "Take_Out_Trash"),
              (15, "Step_Out"), (16, "Sleep_Out_Of_Bed"))]  # fmt: skip
    write(tmp_path, labels="start,end,activity\n" + "\n".join(rows) + "\n")
    ((start, end),) = labelled_out(tmp_path / "a.labels.csv.gz")
    assert end - start == (39 if entered else 40) * 60


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("from,to,what\n", r"a\.labels\.csv\.gz, line 1: the header must be"),
        ("", r"line 1: the header must be"),
        ("start,end,activity\n2026-01-01T00:00:00,2026-01-01T01:00:00\n", r"line 2: '2026-.*' is too short"),
        ("start,end,activity\nnoon,2026-01-01T01:00:00,Out\n", r"line 2: 'noon' is no time: write local wall time"),
        (
            "start,end,activity\n2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,Out\n",
            r"line 2: '2026-01-01T00:00:00Z' has a zone: write local wall time",
        ),
        (f'start,end,activity\n"{"x" * 200_000}\n', r"is no whole gzip file of text \(field larger"),
    ],
)
def test_labels_that_are_wrong_are_named(tmp_path: Path, labels: str, says: str) -> None:
    with pytest.raises(RegisterError, match=says):
        judged(write(tmp_path, labels=labels))


def test_an_outing_whose_end_is_a_slip_of_the_pen_lasts_until_the_next_activity(tmp_path: Path) -> None:
    rows = ("2026-01-08T10:00:00,2026-01-07T11:00:00,Leaving", "2026-01-08T11:05:00,2026-01-08T11:20:00,Lunch")
    write(tmp_path, labels="\n".join(["start,end,activity", *rows]) + "\n")
    ((start, end),) = labelled_out(tmp_path / "a.labels.csv.gz")
    assert end - start == 65 * 60


def test_labels_that_are_no_gzip_file_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "a.labels.csv.gz").write_bytes(b"start,end,activity\n")
    with pytest.raises(RegisterError, match=r"a\.labels\.csv\.gz is no whole gzip file"):
        judged(tmp_path)


@pytest.mark.parametrize(
    ("homes", "rows", "says"),
    [
        (HOMES.replace('"motion"', '"lidar"'), None, r"\[a\.sensors\], 'pir': kind is 'lidar': write one of motion"),
        (HOMES.replace("exterior = true", 'exterior = "no"'), None, r"'door': exterior is 'no': write true or false"),
        (HOMES.replace('"conservatory"', "3"), None, r"'pir': room is 3: write what the room is called"),
        (HOMES.replace("residents = 1", 'residents = "one"'), None, r"\[a\]: residents is 'one': write how many"),
        (HOMES.replace("residents = 1", "residents = 0"), None, r"residents is 0"),
        ("a = 3\n", None, r"homes\.toml, a: is 3: write a table \[a\]"),
        ("[a]\nsensors = 3\n", None, r"write a table \[a\] and one \[a\.sensors\]"),
        (HOMES, "ts,sensor,value\n", r"a\.csv\.gz has no row but its header"),
        (HOMES, "", r"line 1: the header"),
        (HOMES, days(2) + ",pir,ON\n", r"line 122: '' is no time"),
        (HOMES, days(2) + "2026-01-03T10:00:00+08:00,pir,ON\n", r"line 122: '2026-01-03T10:00:00\+08:00' is no time"),
        (HOMES, days(2) + "2026-01-01T10:00:00,pir,ON\n", r"line 122: earlier than the line before: sort"),
        (HOMES.replace('"motion"', '"power_w"'), "ts,sensor,value\n2026-01-01T10:00:00,pir,nan\n", r"'pir' is 'nan'"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(tmp_path: Path, homes: str, rows: "str | None", says: str) -> None:
    with pytest.raises(RegisterError, match=says):
        judged(write(tmp_path, homes, rows))
