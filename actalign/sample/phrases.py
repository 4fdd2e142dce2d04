"""How positions are put into words: phrases to train on, and phrases kept for the scripts.

Each position has long phrases and terse ones (two or three words). ``train`` phrases caption training frames;
``rich_a``, ``rich_b`` and ``terse`` phrases are used by the three prompt styles, and to measure the checkpoint. A held-out
phrase never occurs in a training caption, though most of its words do, in other phrases.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """All the phrases of one leg or arm position."""

    train: tuple[str, ...]
    train_terse: tuple[str, ...]
    rich_a: tuple[str, ...]
    rich_b: tuple[str, ...]
    terse: tuple[str, ...]


def _wording(train: str, train_terse: str, rich_a: str, rich_b: str, terse: str) -> Wording:
    return Wording(
        *(tuple(part.strip() for part in text.split("|")) for text in (train, train_terse, rich_a, rich_b, terse))
    )


LEG_WORDS: dict[str, Wording] = {
    "stand": _wording(
        "standing tall on straight legs | holding an upright stance with feet together | rising to full height, legs together |"
        " staying upright with both legs straight | standing up straight, feet side by side | a tall upright stand on both feet |"
        " body vertical over two straight legs | legs straight and feet close together | standing still at full height",
        "tall stand | upright stance | straight legs | feet together | standing upright | full height | stand up straight",
        "standing upright with both feet together | rising into a tall straight stand",
        "holding a tall stance on two straight legs | staying at full height with feet close together",
        "upright standing | tall straight stand | straight legs together",
    ),
    "crouch": _wording(
        "sinking into a deep crouch | bending both knees into a low squat | dropping the hips between bent knees |"
        " sitting low with knees wide apart | squatting down close to the ground | lowering into a squat, knees bent |"
        " a low crouch with both knees bent deeply | knees bent and pointing outwards, hips low | getting low in a wide squat",
        "deep crouch | low squat | knees bent | squat down | bent knees wide | crouching down | hips dropped low",
        "lowering into a deep squat with knees wide | dropping into a low crouch, both knees bent",
        "squatting low with the hips between the knees | sinking down deep on two bent knees",
        "crouch low | deep squat | knees both bent",
    ),
    "lunge": _wording(
        "stepping into a long lunge | front knee bent and back leg stretched out behind | driving forward into a deep lunge |"
        " a long stride with the front knee bent | lunging with the rear leg extended back | sliding one foot far forward, front knee bent |"
        " splitting the stance, back leg long and low | reaching a low lunge over the front foot | striding out into a lunge",
        "long lunge | deep lunge | front knee bent | lunge forward | long stride | back leg long | lunging stride",
        "driving into a long low lunge | lunging forward, back leg stretched out",
        "a deep stride with the front knee bent | stepping far forward, the rear leg extended behind",
        "lunge low | forward lunge | deep long stride",
    ),
    "arabesque": _wording(
        "balancing on one leg with the other stretched straight back | lifting the back leg level with the hips |"
        " an arabesque with the free leg held high behind | tipping forward on one leg, the other raised behind |"
        " free leg extended backwards at hip height | raising one straight leg behind the body | holding an arabesque line on one foot |"
        " one leg lifted far behind while the body tips forward | leaning over a single standing leg, back leg high",
        "arabesque line | leg lifted behind | back leg high | free leg back | arabesque balance | leg raised behind | one leg behind",
        "balancing in an arabesque, the free leg raised behind | tipping over one leg with the back leg lifted high",
        "lifting one straight leg behind at hip height | holding the free leg stretched backwards on one standing foot",
        "arabesque hold | free leg behind | back leg lifted",
    ),
    "knee_up": _wording(
        "lifting one knee to hip height | standing on one leg with the other knee raised in front | drawing the front knee up high |"
        " one thigh level and the shin hanging down | raising a bent knee in front of the body | pulling one knee up to the waist |"
        " balancing on one foot, the other knee lifted and bent | hiking the knee up in front | one knee bent high, foot off the ground",
        "knee up | raised knee | knee lifted high | one knee raised | lift the knee | high knee | bent knee up",
        "raising one bent knee to hip height | standing on one leg, the front knee lifted high",
        "pulling the knee up in front of the body | balancing with one thigh level and the knee raised",
        "high raised knee | knee raised up | one knee lifted",
    ),
    "straddle": _wording(
        "planting the feet wide apart | standing with straight legs spread wide | a wide straddle stance | legs open in a broad stance |"
        " feet set far apart on either side | opening both legs into a wide straddle | broad base with legs straight and apart |"
        " spreading the feet well beyond the shoulders | legs apart like an upturned letter",
        "wide straddle | legs apart | wide stance | feet far apart | broad stance | legs spread wide | straddle stand",
        "standing in a broad straddle, feet far apart | legs spread into a wide open stance",
        "setting both feet wide with straight legs apart | opening into a broad straddle stance",
        "broad straddle | feet spread apart | legs spread apart",
    ),
    "tuck": _wording(
        "flying through the air tucked into a ball | jumping with both knees pulled to the chest | airborne in a tight tuck |"
        " leaving the ground with knees tucked up | curling up small in the air | both knees drawn to the chest off the ground |"
        " floating in a tucked ball | knees hugged up high during a jump | popping up into a compact tuck",
        "tight tuck | tucked ball | tuck jump | knees to chest | airborne tuck | curled up small | jump tucked",
        "jumping into a tight ball, knees to the chest | airborne with both knees tucked up",
        "floating off the ground in a compact tuck | curling up in the air, knees pulled up high",
        "tucked jump | small tight tuck | knees tucked high",
    ),
    "split_leap": _wording(
        "leaping with the legs split flat in the air | a flying split, one leg ahead and one behind | airborne with both legs level in a split |"
        " soaring through a full split leap | legs stretched apart in a line above the ground | springing into a split jump |"
        " hanging in the air in the splits | splitting the legs wide at the top of a leap | jumping into flat splits",
        "split leap | flying split | split jump | airborne splits | legs split flat | full splits | leap in splits",
        "soaring in a flying split, legs level in the air | springing into a full split leap",
        "leaping high with the legs stretched flat apart | hanging above the ground in flat splits",
        "split in flight | flat split leap | jump into splits",
    ),
    "handstand": _wording(
        "balancing upside down on the hands | kicking up into a handstand | body inverted with the feet on top |"
        " holding a straight handstand | legs pointing at the sky, weight on the hands | turning upside down with hands on the ground |"
        " an inverted balance, toes up high | feet over the head in a vertical handstand | standing on the hands, legs straight up",
        "handstand hold | upside down | inverted balance | feet on top | straight handstand | inverted body | legs in sky",
        "kicking up to an inverted balance on the hands | holding a vertical handstand, feet on top",
        "turning upside down with the legs straight up | standing inverted with the weight on the hands",
        "inverted handstand | handstand balance | body upside down",
    ),
    "pike": _wording(
        "folding forward at the hips with straight legs | bending over into a pike | torso folded down level with the ground |"
        " hinging at the waist, legs straight | bowing low from the hips | piking the body in half | chest dropped forward over straight legs |"
        " back flat and level, hips folded | bent over double at the waist",
        "pike fold | bent over | folded hips | fold forward | piked body | hinge at waist | flat back",
        "hinging forward into a pike, legs straight | bending over with the torso folded level",
        "folding the body in half at the waist | bowing forward from the hips with a flat back",
        "forward pike | folded at hips | bent at waist",
    ),
    "kneel": _wording(
        "dropping to one knee | kneeling with the front foot planted | one knee resting on the ground | sinking down onto the back knee |"
        " half kneeling, front shin upright | lowering a knee to the floor | resting on one knee, the other bent in front |"
        " down on one knee with the front foot flat | going down to a half kneel",
        "one knee down | half kneel | kneel down | kneeling low | knee on floor | back knee down | kneel on knee",
        "lowering to a half kneel, back knee on the ground | kneeling down with the front foot flat",
        "sinking to rest on one knee | dropping a knee to the floor, the front shin upright",
        "kneel on floor | kneeling down low | knee on ground",
    ),
    "kick": _wording(
        "kicking one straight leg out in front | swinging a leg up to waist height | a high front kick with the leg straight |"
        " extending one leg forward off the ground | leaning back as the leg kicks out | snapping a straight kick to the front |"
        " one leg thrust out level ahead | the front leg shooting out straight | throwing a high kick ahead",
        "front kick | high kick | leg kicks out | straight kick | kick ahead | leg swung up | kicking leg out",
        "snapping one straight leg up into a front kick | leaning back in a high kick to the front",
        "swinging a straight leg out level ahead | throwing the front leg out in a kick at waist height",
        "front high kick | kick out straight | straight leg kick",
    ),
}

ARM_WORDS: dict[str, Wording] = {
    "overhead": _wording(
        "both arms stretched overhead | hands reaching for the sky | both hands high above the head | arms raised straight up |"
        " the arms lifted above the head | both hands thrown up high | arms long overhead | hands up over the head |"
        " both arms pointing at the sky",
        "arms overhead | hands up high | arms raised up | reach for sky | hands above head | arms straight up | both hands up",
        "both arms reaching high overhead | hands lifted straight up above the head",
        "the arms thrown up over the head | both hands stretched to the sky",
        "both arms overhead | hands overhead | arms up high",
    ),
    "wide": _wording(
        "arms spread wide to the sides | both arms held out like wings | arms level out to each side | hands far apart at shoulder height |"
        " the arms opened sideways | arms stretched out left and right | both arms out wide for balance | arms open in a cross |"
        " arms making a level line sideways",
        "arms wide | wings out | arms out sideways | spread arms | arms like wings | arms open wide | cross arms out",
        "both arms opened wide to the sides | arms stretched level like wings",
        "the arms spread out left and right at shoulder height | both hands held out wide to each side",
        "arms spread sideways | wide open arms | arms level sideways",
    ),
    "forward": _wording(
        "both arms reaching forward | hands extended in front of the chest | arms pointing straight ahead | both hands pushed out in front |"
        " arms stretched ahead at shoulder height | the arms held out to the front | reaching ahead with both hands |"
        " both arms aimed ahead | hands stretched forward together",
        "arms forward | hands in front | reach ahead | arms ahead | hands pushed ahead | pointing ahead | arms to front",
        "both hands reaching ahead in front of the chest | arms extended straight to the front",
        "the arms pushed forward together | both arms stretched out ahead of the body",
        "both arms forward | hands out front | arms straight ahead",
    ),
    "behind": _wording(
        "both arms swept back behind | hands trailing behind the hips | arms drawn backwards | the arms thrown behind the body |"
        " both hands held low behind the back | arms streaming back | arms swung to the rear | elbows back and hands behind |"
        " both arms pulled back behind the body",
        "arms behind | arms swept back | hands behind back | trailing arms | arms pulled back | hands trail behind | arms to rear",
        "both hands swept back behind the body | arms trailing backwards behind the hips",
        "the arms pulled to the rear, hands behind | both arms drawn back low behind the back",
        "arms back behind | hands swept back | arms pulled behind",
    ),
    "one_up": _wording(
        "one arm raised and the other down | a single hand lifted to the sky | one arm up beside the ear | only one hand pointing up |"
        " one hand high, one hand low | a single arm stretched overhead | lifting one arm while the other hangs | one arm straight up alone |"
        " the right arm vertical and the left by the side",
        "one arm up | single arm raised | one hand high | one hand up | lone arm lifted | one arm high | single hand up",
        "a single arm lifted to the sky, the other low | one hand raised high and one down",
        "only one arm stretched up beside the ear | one arm vertical while the other hangs by the side",
        "single arm up | raised single arm | one hand lifted",
    ),
    "hips": _wording(
        "hands on the hips | both hands resting on the waist | elbows out and hands on the hips | hands held at the waist |"
        " arms bent with fists on the hips | both hands planted at the waist, elbows wide | arms folded to the hips |"
        " palms on the hips, elbows out | fists held at the waist",
        "hands on hips | fists on hips | hands at waist | elbows out | palms on waist | arms at waist | hips held",
        "both hands planted on the hips, elbows wide | fists resting at the waist",
        "palms held on the waist with elbows out | arms bent, both hands at the hips",
        "hands on waist | fists at waist | palms on hips",
    ),
}

# How a leg phrase and an arm phrase make one caption; the last two are used by the scripts alone.
JOINERS = (
    "{legs}, {arms}",
    "{legs} with {arms}",
    "{legs} and {arms}",
    "{arms}, {legs}",
    "an athlete {legs}, {arms}",
    "{legs} while keeping {arms}",
)
JOINER_RICH_A = "{legs}, with {arms}"
JOINER_RICH_B = "an athlete {legs}, with {arms}"

CALL_TRAIN = ("{call} phase", "the {call}", "{call} now", "on the {call}", "{call} part", "{call} move")
CALL_TERSE = ("the {call} phase", "{call} move now", "now the {call}")
IN_SPORT = ("{caption} in {sport}", "{caption} during {sport}", "{sport}: {caption}")
