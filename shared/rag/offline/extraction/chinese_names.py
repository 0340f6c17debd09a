"""Chinese family names, and the characters that stand around and outside of names."""

from shared.rag.offline.extraction.english_words import listed

FAMILY_NAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范"
    "彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元"
    "卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻贾"
    "路娄江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘缪干解应宗丁宣贲邓郁单杭洪包"
    "诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲封芮储靳汲邴糜松井段富巫乌焦巴弓牧山谷车侯宓蓬全郗"
    "班仰仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶司韶郜黎蓟薄印宿白怀蒲邰鄂索咸籍赖卓蔺屠蒙池乔胥"
    "能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎充慕茹习宦"
    "艾鱼容向古易慎戈廖庾居衡步都耿满弘匡国文寇广禄阙东欧沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那"
    "简饶空曾毋沙鞠丰关蒯查红游竺权逯盖益桓蹇桥审淳牵眭麴毌邸笮典太法谯沮逢种"
)
COMPOUND_FAMILY_NAMES = listed(
    """
    司马 上官 欧阳 夏侯 诸葛 闻人 东方 赫连 皇甫 尉迟 公羊 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠
    公孙 仲孙 轩辕 令狐 钟离 宇文 长孙 慕容 鲜于 闾丘 南宫 端木 太史 西门 独孤 呼延 拓跋
    """
)
# Family names that are far more often ordinary words: one mention of theirs proves nothing.
COMMON_WORDS = frozenset(
    "于方时何都能安和闻山马云容席齐郎庄路尚师白广通解花盖权太应施扶龙寿温古向易常乐计成万从步耿"
    "车苗终冷敖空养那相居水平明房牧谷仲双劳宿利国文满父宰红关干支丰弓侯王金黄田毛羊鱼牛党边束冠"
    "官梅童东沙首江章柏凤强危经沃越归海岳年有"
)
# Particles, pronouns, common verbs, and nouns of rank and war: a name with one is a misreading.
NEVER_IN_A_NAME = frozenset(
    "的了着过是有在不也都就和与及或者这那此其之乎矣哉焉耳以而则于为被把将让给对从向到去来又亦乃"
    "遂即便却且若虽既因故曰说道言语问答笑怒哭叫喊听闻见看想知谓请拜引率领兵军营寨旗阵敌帝王后侯"
    "县郡国氏等皆众各每我你他她它吾汝臣上下前左右里外内中间年月日时今昨夜早晚大小多少一二三四五"
    "六七八九十百千万两几个人们家主客君使校尉丞相府坐立走行入出归回退进追赶杀死斩战攻守取破败降"
    "投奔逃射骑舞提拍弃得失欲能可当应该何谁什么甚没无未勿休莫毋献送呈报告奏传命令召赐封赏罚怀恨"
    "恩赴望接迎救助留住放收买卖吃饮食善劫刺匹侧门朝野往至自先谏屡镇屯督部否惊聘夺仗钱粮称名喜急"
    "酒肉衣马车船刀枪剑弓箭鼓"
)
# What may follow a name directly.
ENDS_BEFORE = frozenset(
    "的了是在不也都和与及或说道曰谓问答笑怒大喜惊引率领乃亦即便却又再将把被让给对从向到去来自之"
    "为以而则有无见闻出入等皆兄弟父子妻女先生军所已正方至于令使请拜取守进退战杀斩奏谏上下左右回"
    "听知欲言忙急遂曾任获称认表拍骑提舞挺纵死败降投奔首心甚果因既若须可何此二三一两部兵营寨挥飞"
    "接赶追望看差遣教叫唤命召并同共各"
)
# What may stand directly before a name, where no new word was recognised.
STANDS_BEFORE = frozenset(
    "守军史尉夫相督侯令臣吏将傅卿监丞郎士帅牧公王帝吾某是乃即曰与和同使命教请见谓遣拜杀斩引召问"
    "到对于从向为被把让给及、，。：；！？“”‘’（）《》 "
)
# The last character of a rank: whoever it stands before is a person.
RANK_ENDS = tuple("守军史尉夫相督侯令吏将傅卿郎帅")
