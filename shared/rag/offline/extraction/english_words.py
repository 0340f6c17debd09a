"""General English word lists: words that are no names, and words that tell a name's type."""


def listed(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


STOP_WORDS = listed(
    """
    a about above across after again against ago all almost alone along already also although
    always am among an and another any anyone anything are around as at away back be became
    because become been before began being below between both but by came can cannot could day
    days did do does done down during each early either else end even ever every everyone
    everything few finally first five following for former four from further gave get give given
    go goes got had half has have having he hence her here hers herself him himself his how
    however i if in including indeed instead into is it its itself just last late later latter
    least less let like likewise made main mainly make makes many may me meanwhile might modern
    more moreover most mostly much must my myself near nearly neither never nevertheless new
    next no nobody none nor not nothing now of off often old on once one only onto or other
    others otherwise our ours out over own part particularly people per perhaps possibly present
    put rather really recent recently said same second see seen several shall she should show
    similarly since six so some somehow someone something sometimes soon still such take taken
    ten than that the their theirs them themselves then there thereafter therefore these they
    thing things third this those though three through throughout thus time times to today
    together too toward towards two under unless unlike until up upon us use used uses using
    usually various very via was way we well went were what whatever when whenever where whereas
    whether which while who whom whose why will with within without would year years yes yet you
    your yours according additionally additional although despite due besides consequently
    currently eventually furthermore generally historically initially originally overall
    similarly typically unfortunately meaning known called named based found said says say asked
    told wrote think know want need january february march april june july august september
    october november december monday mon tue wed thu fri sat sun jan feb mar apr jun jul aug
    sep sept oct nov dec bc bce ad ce am pm gmt tuesday wednesday thursday friday
    saturday sunday spring
    summer autumn winter century centuries see note references external links chapter section
    figure table contents notes page pages dear hello please thank thanks regards subject re fw
    hi sorry ok okay
    """
)

# Written like this, they are none of the above.
ACRONYMS = frozenset({"US", "IT", "WHO"})

# Lower-case words that may stand inside a name.
CONNECTORS = listed("of de la le du da di del della der den von van bin ibn al el and & the")

HONORIFICS = listed(
    "mr mrs ms miss dr prof professor sir president senator governor captain colonel lieutenant"
)

PERSON_VERBS = listed(
    """
    said says wrote argued claimed married died believed thought told asked replied stated
    suggested proposed invented published born resigned retired studied taught met
    """
)

GIVEN_NAMES = listed(
    """
    aaron abraham adam alan albert alexander alfred alice allen amy andrew angela ann anna anne
    anthony antonio arthur barbara benjamin bernard bill bob brian bruce carl carlos carol
    caroline catherine charles charlotte chris christian christopher claude craig daniel david
    deborah dennis diana donald dorothy douglas edgar edith edmund edward eleanor elizabeth
    ellen emily emma eric ernest eugene eva fernando florence francis frank franklin fred
    frederick friedrich gary geoffrey george gerald gilbert giovanni grace graham gregory guy
    hans harold harriet harry heinrich helen henri henry herbert herman howard hugh ian isaac
    ivan jack jacob james jan jane janet jason jean jeff jeffrey jennifer jeremy jerry jesse
    jessica jim joan joe johann john johnny jonathan jose joseph joshua juan judith julia julian
    julius karen karl katherine kathleen keith kenneth kevin larry laura lawrence leo leonard
    leslie lewis linda lisa louis louise lucy luis luke margaret maria marie mark martha martin
    mary matthew maurice max michael michel miguel mike morris nancy nathan neil nicholas nick
    noah norman oliver oscar otto patricia patrick paul pedro peter philip pierre rachel ralph
    ray raymond rebecca richard robert roger roland ronald rose ross roy rudolf russell ruth
    sally sam samuel sandra sara sarah scott sean sharon simon stanley stephen steve steven
    stuart susan ted theodore thomas tim timothy tom tony victor victoria vincent virginia
    walter warren wayne wilhelm william winston
    """
)

# The last word of a name, or one of its words before `of`, tells its type.
TYPE_WORDS: dict[str, str] = {
    word: entity_type
    for entity_type, listed in {
        "Organization": """
            university college school institute institution academy company corporation corp
            inc ltd llc gmbh association society foundation union party committee commission
            council congress parliament senate court department ministry bureau agency
            administration authority bank group club team army navy force forces corps
            church office organization organisation league federation alliance press museum
            library hospital laboratory laboratories representatives commons lords studios
            records airlines motors industries brothers systems
        """,
        "Location": """
            river city county island islands mountain mountains mount sea ocean lake bay
            state states republic kingdom empire province district region territory street
            road avenue square park valley desert peninsula coast cape fort castle bridge
            airport station village town hill hills forest canal strait gulf border house
            palace colony north south east west northwest northeast southwest southeast
        """,
        "Event": """
            war wars battle revolution rebellion uprising conference summit olympics
            olympiad festival election elections crisis massacre siege campaign ceremony
            championship championships tournament expedition strike accident earthquake
            famine plague movement
        """,
        "Content": """
            book bible constitution declaration treaty amendment act journal magazine times
            gazette encyclopedia dictionary letter report poem song album novel film series
            articles report review code charter
        """,
        "Concept": """
            theory law laws principle theorem effect rights language languages alphabet
            religion philosophy age ages era dynasty period school
        """,
        "Method": "algorithm method protocol procedure technique process test",
        "Artifact": """
            software engine computer machine telescope aircraft ship satellite windows unix
            linux
        """,
    }.items()
    for word in listed.split()
}

PLACE_PREPOSITIONS = listed("in at near from to across throughout toward towards outside inside")

COUNTRIES = listed(
    """
    afghanistan albania algeria andorra angola antarctica argentina armenia asia africa
    australia austria azerbaijan bahrain bangladesh belarus belgium bolivia botswana brazil
    britain bulgaria burma cambodia cameroon canada chad chile china colombia congo croatia cuba
    cyprus denmark ecuador egypt england eritrea estonia ethiopia europe finland france germany
    ghana greece guatemala guinea haiti honduras hungary iceland india indonesia iran iraq
    ireland israel italy jamaica japan jordan kazakhstan kenya korea kuwait laos latvia lebanon
    liberia libya lithuania luxembourg madagascar malaysia mali malta mexico moldova mongolia
    morocco mozambique myanmar namibia nepal netherlands nicaragua niger nigeria norway oman
    pakistan panama paraguay peru philippines poland portugal qatar romania russia rwanda
    scotland senegal serbia singapore slovakia slovenia somalia spain sudan sweden switzerland
    syria taiwan tanzania thailand tunisia turkey uganda ukraine uruguay uzbekistan venezuela
    vietnam wales yemen zambia zimbabwe america london paris rome berlin alabama alaska arizona
    arkansas california colorado connecticut delaware florida hawaii idaho illinois indiana iowa
    kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi
    missouri montana nebraska nevada jersey york carolina dakota ohio oklahoma oregon
    pennsylvania tennessee texas utah vermont wisconsin wyoming ontario quebec
    """
)
