"""Finds the names of people in Chinese text: by tag, family name and neighbours."""

from shared.rag.offline.extraction.candidates import Candidate, Place
from shared.rag.offline.extraction.chinese_words import Word

FAMILY_NAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方"
    "俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧"
    "计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫"
    "经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓"
    "牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池"
    "乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎"
    "戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙养鞠须丰巢关蒯相查红"
    "游竺权逯盖益桓公蹇桥审淳牵眭麴毌邸笮"
)
COMPOUND_FAMILY_NAMES = (
    "司马",
    "上官",
    "欧阳",
    "夏侯",
    "诸葛",
    "闻人",
    "东方",
    "赫连",
    "皇甫",
    "尉迟",
    "公羊",
    "澹台",
    "公冶",
    "宗政",
    "濮阳",
    "淳于",
    "单于",
    "太叔",
    "申屠",
    "公孙",
    "仲孙",
    "轩辕",
    "令狐",
    "钟离",
    "宇文",
    "长孙",
    "慕容",
    "鲜于",
    "闾丘",
    "司徒",
    "司空",
    "南宫",
    "端木",
    "太史",
    "西门",
    "独孤",
    "呼延",
    "拓跋",
)


def find_people(words: list[list[Word]]) -> list[Candidate]:
    """Return the people of a passage, one candidate for each name."""
    found: dict[str, Candidate] = {}
    for number, line in enumerate(words):
        for word in line:
            if word.tag == "nr" and 2 <= len(word.text) <= 4 and _has_family_name(word.text):
                place = Place(number, word.start, word.end)
                found.setdefault(word.text, Candidate(word.text, "Person")).places.append(place)
    return list(found.values())


def _has_family_name(name: str) -> bool:
    return name.startswith(COMPOUND_FAMILY_NAMES) or (name[0] in FAMILY_NAMES and len(name) <= 3)
