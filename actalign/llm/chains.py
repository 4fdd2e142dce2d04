"""What the answers at hand come to for one class: a script, a failure, or the next thing to ask.

A reply that gives no script is answered with a complaint, at most ``REPAIRS`` times, and the longer conversation is
a request of its own. So what happened to a class can be replayed from the cache alone.
"""

from dataclasses import dataclass

from actalign.llm.cache import Answer, AnswerCache, Request
from actalign.llm.failures import Failure
from actalign.llm.parsing import parse
from actalign.llm.prompts import SCHEMA, Prompt, repair
from actalign.llm.usage import Usage, used
from actalign.records import Script

REPAIRS = 2
"""How many complaints a class may cost."""


@dataclass(frozen=True)
class Chain:
    """``result`` is the script, or what was wrong with the last reply (None: there was none yet); ``following`` is
    the request to send next, None where the matter is settled; ``usage`` is that of the answers read so far."""

    result: Script | Failure | None
    following: Request | None
    usage: Usage


@dataclass(frozen=True)
class Asking:
    """Everything a request holds beside the class: prompt style, model and seed.

    >>> from actalign.llm.prompts import STYLES
    >>> asking = Asking(STYLES["short_fixed"], model="small", seed=0)
    >>> chain = asking.follow("lob", sport="tennis", cache=AnswerCache("nowhere.jsonl"))
    >>> chain.result, chain.following.model, chain.usage.answers
    (None, 'small', 0)
    """

    prompt: Prompt
    model: str
    seed: int | None

    def follow(self, name: str, *, sport: str, cache: AnswerCache) -> Chain:
        """Read the cached answers for a class, as far as they go.

        Raises:
            ActAlignError: the cache cannot be read.
        """
        request = self._first(name, sport)
        usage, result = Usage(), None
        for repairs in range(REPAIRS + 1):
            answer = cache.find(request)
            if answer is None:
                return Chain(result, request, usage)
            usage += used(answer.tokens)
            result = self._read(answer, name, sport)
            if isinstance(result, Script) or repairs == REPAIRS:
                break
            request = self._complain(request, answer, result)
        return Chain(result, None, usage)

    def _first(self, name: str, sport: str) -> Request:
        messages = self.prompt.messages(name, sport=sport)
        return Request(self.model, messages, self.prompt.temperature, self.seed, self.prompt.sha256, SCHEMA)

    def _read(self, answer: Answer, name: str, sport: str) -> Script | Failure:
        return parse(
            answer.text,
            {name: sport},
            steps=self.prompt.steps,
            finish_reason=answer.finish_reason,
            refusal=answer.refusal,
        )[name]

    def _complain(self, request: Request, answer: Answer, failure: Failure) -> Request:
        reply = (answer.refusal or answer.text).encode(errors="replace").decode()  # half a surrogate cannot be sent
        complaint = self.prompt.complaint(failure.kind)
        messages = repair(request.messages, reply=reply, complaint=complaint)
        return Request(self.model, messages, request.temperature, self.seed, request.prompt, SCHEMA)
