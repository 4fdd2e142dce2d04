"""Sub-action scripts from any OpenAI-compatible endpoint: ``preview`` what would be asked, then ``generate``.

    export OPENAI_API_KEY=...  OPENAI_BASE_URL=http://localhost:8000/v1  ACTALIGN_LLM_MODEL=...

>>> print(str(preview({"lob": "tennis"}, "context_rich", model="small")).splitlines()[0])
context_rich: 1 of 1 classes to ask of 'small' at temperature 1.0: about ... input and ... output tokens,
cost unknown (no price was given)
"""

from actalign.llm.failures import Failure, Kind
from actalign.llm.generation import Generation, generate
from actalign.llm.preview import Preview, preview
from actalign.llm.prompts import STYLES, Prompt

__all__ = ["STYLES", "Failure", "Generation", "Kind", "Preview", "Prompt", "generate", "preview"]
