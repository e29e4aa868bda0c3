"""The demo's district: names, places and people. All of it is made up."""

from typing import Final, NamedTuple


class Community(NamedTuple):
    """One community: the street it belongs to, and how its addresses begin."""

    key: str
    name: str
    street: str
    road: str
    lane: int


DISTRICT: Final = ("yunxi", "云溪区")
STREETS: Final = (("guiyuan", "桂园街道"), ("songhe", "松鹤街道"))
COMMUNITIES: Final = (
    Community("guixiang", "桂香社区", "guiyuan", "桂香路", 18),
    Community("liuyin", "柳荫社区", "guiyuan", "柳荫街", 66),
    Community("songhe-east", "松鹤东社区", "songhe", "松鹤东路", 205),
)
HOMES_A_COMMUNITY: Final = 8

# name, year, month, day of birth: homes 1 to 24
RESIDENTS: Final = (
    ("陈桂兰", 1944, 3, 18),
    ("王德福", 1941, 11, 2),
    ("李秀英", 1939, 6, 25),
    ("张文彬", 1946, 9, 9),
    ("刘玉珍", 1943, 1, 30),
    ("赵长根", 1948, 5, 14),
    ("孙慧芳", 1940, 12, 7),
    ("周国强", 1945, 8, 21),
    ("吴月娥", 1938, 4, 3),
    ("郑宝山", 1942, 10, 16),
    ("冯淑琴", 1947, 2, 11),
    ("蒋荣华", 1944, 7, 28),
    ("沈阿妹", 1937, 9, 19),
    ("韩志明", 1949, 6, 5),
    ("杨翠芬", 1941, 3, 27),
    ("朱永年", 1943, 12, 22),
    ("许美玲", 1945, 5, 8),
    ("何金水", 1940, 1, 17),
    ("吕素贞", 1946, 11, 13),
    ("施家骏", 1939, 8, 31),
    ("曹凤仙", 1942, 4, 24),
    ("严伯钧", 1936, 10, 10),
    ("金巧云", 1948, 7, 6),
    ("魏松涛", 1944, 2, 26),
)


class Member(NamedTuple):
    """Somebody with a login. `role` and `region`, or for family the `home` and the relation."""

    key: str
    name: str
    login: str
    role: str
    region: str = ""
    home: int = 0
    relation: str = ""


PEOPLE: Final = (
    Member("worker-1", "林晓梅", "worker", "worker", region="guixiang"),
    Member("worker-2", "郭建平", "worker2", "worker", region="liuyin"),
    Member("worker-3", "谢雨婷", "worker3", "worker", region="songhe-east"),
    Member("manager-1", "高志远", "manager", "manager", region="yunxi"),
    Member("admin-1", "系统管理员", "admin", "admin", region="yunxi"),
    Member("centre-1", "桂园街道服务中心", "centre", "centre", region="guiyuan"),
    Member("centre-2", "松鹤街道服务中心", "centre2", "centre", region="songhe"),
    Member("volunteer-1", "冯志强", "volunteer", "volunteer", region="guixiang"),
    Member("family-1", "李建国", "family", "family", home=3, relation="儿子"),
    Member("family-2", "陈思雨", "family2", "family", home=1, relation="孙女"),
    Member("family-3", "王海燕", "family3", "family", home=2, relation="女儿"),
    Member("family-4", "吴晓东", "family4", "family", home=9, relation="儿子"),
    Member("family-5", "沈丽华", "family5", "family", home=13, relation="女儿"),
    Member("family-6", "许文静", "family6", "family", home=17, relation="女儿"),
    Member("family-7", "魏一鸣", "family7", "family", home=24, relation="孙子"),
)


def address_of(number: int) -> str:
    """The postal address of home `number` (from 1)."""
    place = (number - 1) % HOMES_A_COMMUNITY
    community = community_of(number)
    street = dict(STREETS)[community.street]
    room = f"{1 + place * 3 % 6}0{1 + place % 3}"
    return f"{DISTRICT[1]}{street}{community.road}{community.lane}号{2 + place * 5 % 9}幢{1 + place % 3}单元{room}室"


def community_of(number: int) -> Community:
    """The community of home `number`: eight homes each, in order."""
    return COMMUNITIES[(number - 1) // HOMES_A_COMMUNITY]


def phone_of(place: int) -> str:
    """A made-up mobile number."""
    return f"1390000{place:04d}"
