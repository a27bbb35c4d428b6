"""Settings: a profile, overridden by `TINYEMO_*` variables, overridden by what a person types at launch.

A profile is a YAML file: one of `tinyemo_data/profiles/`, or a path of your own. A key that no setting
has is an error that names the key it may have meant. Credentials are no settings: they come from the
environment alone (`ANTHROPIC_API_KEY`, `HF_TOKEN`).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as EnvironmentValueError

from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.errors import SettingsError, nearest

PROFILES = Path(__file__).parent / "profiles"
PREFIX = "TINYEMO_"
# Read by the tests and by `load` themselves, so they are no fields below.
OTHER_VARIABLES = {"TINYEMO_PROFILE", "TINYEMO_SHARED", "TINYEMO_FAULT_TRIALS"}
# Groups whose keys are names: TINYEMO_SYNTHESIS__SETS__HQ__LIMIT=10; pydantic checks what follows the name.
BY_NAME = (f"{PREFIX}DATASETS__", f"{PREFIX}SYNTHESIS__SETS__")

Group = TypeVar("Group", bound=BaseModel)
LossName = Literal["prototype_softmax", "info_nce", "info_nce_original", "nt_xent", "cosine"]
BackendName = Literal["rules", "anthropic", "anthropic_batches", "openai_compatible"]
PAID_BACKENDS = ("anthropic", "anthropic_batches")


class Strict(BaseModel):
    """A group of settings in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatasetSettings(Strict):
    """What can be chosen for one dataset."""

    folder: str | None = Field(None, description="its folder, where it is not <raw>/<dataset>")
    label: Literal["keyword", "distribution"] = Field(
        "keyword", description="emotion6: is the label the search keyword, or the mode of the human distribution?"
    )
    split_seed: int = Field(0, description="seed of the split, where the dataset has no official one")


class EncoderSettings(Strict):
    """Which open_clip model turns pictures into features, and how it runs."""

    model: str = Field(description="open_clip model name, such as ViT-L-14-quickgelu, or tinyemo-clip (the demo's)")
    pretrained: str | None = Field(
        None, description="open_clip tag, local checkpoint, or drawn (the demo's); null: random weights from `seed`"
    )
    seed: int = Field(0, description="seed of random weights")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:<n>")
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    batch_size: int = Field(64, ge=1, description="pictures a batch; a killed run loses at most one")
    decode: Literal["exact", "scaled"] = Field(
        "exact", description="scaled: large JPEGs are decoded at a smaller size; faster, and other features"
    )


class ProjectorSettings(Strict):
    """The Metric Projector: what it learns from, how, and which weights replace training."""

    checkpoint: str | None = Field(
        None, description="weights to use instead of training: a file, a directory or a hub id"
    )
    train_on: list[str] = Field(min_length=1, description="datasets whose train split is learnt from")
    loss: LossName = "prototype_softmax"
    temperature: float = Field(0.5, gt=0)
    margin: float = Field(0.5, ge=-1, le=1, description="cosine loss only")
    # Defaults chosen by cross-validation on the train part of the released Emotion6 features.
    epochs: int = Field(12, ge=1)
    batch_size: int = Field(256, ge=2)
    max_learning_rate: float = Field(2e-3, gt=0)
    warmup_fraction: float = Field(0.005, gt=0, lt=1, description="OneCycle's pct_start")
    weight_decay: float = Field(0.01, ge=0)
    dropout: float = Field(0.2, ge=0, lt=1)
    seeds: list[int] = Field(default=[0], min_length=1, description="one projector a seed; their mean predicts")
    validation_fraction: float = Field(0.1, gt=0, lt=0.5, description="part of train that early stopping looks at")
    patience: int = Field(2, ge=1, description="epochs without a better validation loss before training stops")
    class_balancing: bool = Field(False, description="weight classes by the inverse of their frequency")
    grounding_text: str = Field("{emotion}", description="text whose embedding is the label's prototype")
    center_prototypes: bool = Field(True, description="subtract the mean prototype")
    synonym_probability: float = Field(0.0, ge=0, le=1, description="how often a label is a synonym in training")
    candidates: list[dict[str, Any]] = Field(
        default=[], description="settings to choose between by cross-validation on train, each a set of the keys above"
    )
    folds: int = Field(5, ge=2)


class ReasoningEvaluationSettings(Strict):
    """What the MM-LLM is asked to be measured, and who judges its texts."""

    pictures: int = Field(240, ge=2, description="held-out pictures at most, as many of each dataset, drawn by seed")
    judge: Literal["anthropic", "openai_compatible"] | None = Field(
        None, description="language model that judges texts, within synthesis.budget_usd; null: nobody"
    )
    judge_model: str | None = Field(None, description="null: the one that careful prompts are answered by")
    judge_pictures: int = Field(40, ge=1, description="pictures whose texts are judged, the first of those drawn")
    human_scores: str | None = Field(None, description="CSV of people's scores of the same texts")


class EvaluationSettings(Strict):
    """Which datasets the table has, and how sure its figures are."""

    datasets: list[str] = Field(min_length=1)
    bootstrap: int = Field(2000, ge=100, description="resamples behind each 95 % interval")
    seed: int = 0
    reasoning: ReasoningEvaluationSettings = ReasoningEvaluationSettings()


class InstructSetSettings(Strict):
    """One instruct set. What is null here is as the group `synthesis` has it."""

    enabled: bool = True
    tasks: list[str] | None = Field(None, description="prompts of the set, such as caption; null: all of its folder")
    per_emotion: int | None = Field(None, ge=1, description="accepted records wanted an emotion; null: all there are")
    withheld_share: float = Field(0.5, ge=0, le=1, description="share of reasoning questions that hide the label")
    draws: int = Field(1, ge=1, le=100, description="questions a picture and task: candidates for a quota")
    datasets: list[str] | None = None
    backend: BackendName | None = None
    model: str | None = None
    max_tokens: int | None = Field(None, ge=16)
    limit: int | None = Field(None, ge=1)


class SynthesisSettings(Strict):
    """Which instruct sets are made, of which pictures, and which language model answers."""

    sets: dict[str, InstructSetSettings] = Field(default={}, description="set (a folder of prompts/) -> its options")
    datasets: list[str] = Field(default=[], description="datasets whose train split is asked about")
    label_origin: Literal["annotators", "projector"] = Field(
        "annotators", description="whose label records are conditioned on: the dataset's, or the projector's"
    )
    backend: BackendName = Field("rules", description="who answers; rules: this program's own sentences, offline")
    model: str | None = Field(None, description="model that answers; null: the backend's for the prompt's class")
    base_url: str | None = Field(None, description="openai_compatible: the server, such as http://localhost:8000/v1")
    concurrency: int = Field(256, ge=1, description="requests in flight")
    budget_usd: float | None = Field(None, ge=0, description="dollars that may be spent in all; a wall")
    unpriced: bool = Field(False, description="take a model without a known price as free: a server of your own")
    picture_side: int | None = Field(
        512, ge=28, description="longest side in pixels of the picture that is sent; null: facts alone, no picture"
    )
    max_tokens: int | None = Field(None, ge=16, description="longest answer; null: as the prompt says")
    seed: int = Field(0, description="decides order, questions, options and variants")
    limit: int | None = Field(None, ge=1, description="pictures at most, drawn by seed; null: all")
    wait_for_batches: bool = Field(False, description="anthropic_batches: wait for the end of what was submitted")

    @model_validator(mode="after")
    def _backends_have_what_they_need(self) -> Self:
        for name, options in self.sets.items():
            backend = options.backend or self.backend
            if options.enabled and backend in PAID_BACKENDS and self.budget_usd is None:
                raise ValueError(
                    f"the set '{name}' asks {backend}, which costs money: say budget_usd (0 sends nothing)"
                )
            if options.enabled and backend == "openai_compatible" and not self.base_url:
                raise ValueError(f"the set '{name}' asks {backend}: say base_url, such as http://localhost:8000/v1")
            if options.enabled and backend == "openai_compatible" and not (options.model or self.model):
                raise ValueError(f"the set '{name}' asks {backend}: say which model its server has")
        return self


class StageSettings(Strict):
    """One stage of the MM-LLM's training. The defaults are the original's (TinyLLaVA Factory's scripts)."""

    sets: list[str] = Field(min_length=1, description="instruct sets that it learns from")
    epochs: float = Field(1.0, gt=0)
    batch_size: int = Field(32, ge=1, description="records a step and process")
    accumulation: int = Field(1, ge=1, description="steps whose gradients are summed before an update")
    learning_rate: float = Field(gt=0)
    warmup_fraction: float = Field(0.03, ge=0, lt=1)
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    weight_decay: float = Field(0.0, ge=0)


class PretrainStageSettings(StageSettings):
    """Stage 1: the connector alone."""

    sets: list[str] = Field(["pretrain"], min_length=1, description="instruct sets that it learns from")
    learning_rate: float = Field(1e-3, gt=0)


class FinetuneStageSettings(StageSettings):
    """Stage 2: the connector and the language model."""

    sets: list[str] = Field(["finetune"], min_length=1, description="instruct sets that it learns from")
    learning_rate: float = Field(2e-5, gt=0)
    lora_rank: int | None = Field(None, ge=1, description="train low-rank adapters of the language model; null: all")
    lora_alpha: int = Field(16, gt=0, description="adapters are scaled by alpha / rank")


class MMLLMSettings(Strict):
    """The multi-modal language model: its parts, and how both stages train and what is asked of it."""

    vision_tower: str | None = Field(
        None, description="CLIP, SigLIP or DINOv2: a directory or a hub id; null: the small one of this package"
    )
    language_model: str | None = Field(
        None, description="backbone: a directory or a hub id; null: the profile's, or a small one made on the spot"
    )
    language_model_tokenizer: str | None = Field(None, description="where the backbone's directory has none (OpenELM)")
    feature_layer: int = Field(-2, description="hidden state of the vision tower that the connector sees")
    context: int | None = Field(None, ge=16, description="tokens of a record at most; null: what the backbone takes")
    device: str = Field("auto", description="auto, cpu or cuda")
    precision: Literal["fp32", "bf16"] = "fp32"
    gradient_checkpointing: bool = Field(False, description="less memory for more arithmetic")
    cached_features: bool = Field(False, description="encode each picture once and keep its patch features on disk")
    length_grouping: bool = Field(True, description="records of like length share a batch")
    workers: int = Field(0, ge=0, description="processes that read pictures ahead; 0: none")
    validation_fraction: float = Field(0.05, ge=0, lt=0.5, description="share of the pictures that training never sees")
    evaluations: int = Field(4, ge=1, description="how often a stage is validated and saved; the best is kept")
    checkpoints_kept: int = Field(2, ge=1, description="the last ones; the best is kept beside them")
    seed: int = 0
    pretrain: PretrainStageSettings = PretrainStageSettings()
    finetune: FinetuneStageSettings = FinetuneStageSettings()
    max_new_tokens: int = Field(256, ge=1, description="of an explanation")
    generation_batch_size: int = Field(16, ge=1)


class AuditSettings(Strict):
    """The bias audit: what it looks at, what it calls an effect, and how sure it must be. Defaults: BiasSettings."""

    datasets: list[str] | None = Field(
        None, description="datasets to audit; null: all of the profile whose labels the projector learnt"
    )
    min_support: int = Field(BiasSettings.min_support, ge=2, description="image groups in each cell of a statistic")
    odds_ratio: float = Field(BiasSettings.odds_ratio, ge=1, description="least association of the training labels")
    delta_model: float = Field(BiasSettings.delta_model, ge=0, description="least change of margin, in deviations")
    delta_contrast: float = Field(BiasSettings.delta_contrast, ge=0, description="least part of it that labels taught")
    q: float = Field(BiasSettings.q, gt=0, lt=1, description="expected share of false pairs among the flagged")
    merge_phi: float = Field(BiasSettings.merge_phi, gt=0, lt=1, description="attributes that agree more are one")
    bootstrap: int = Field(BiasSettings.bootstrap, ge=100, description="resamples for each flagged pair")
    permutations: int = Field(BiasSettings.permutations, ge=19, description="within classes, for each flagged pair")
    latent_slices: int = Field(BiasSettings.latent_slices, ge=0, description="clusters proposed as attributes; 0: none")
    caption_set: str | None = Field(None, description="instruct set whose captions propose words; null: none")
    caption_words: int = Field(BiasSettings.caption_words, ge=0, description="words proposed for an emotion at most")
    contrast_seeds: int = Field(3, ge=1, description="seeds of the projector that the contrast trains again")
    seed: int = Field(BiasSettings.seed, ge=0)


class SampleCorpusSettings(Strict):
    """The drawn pictures of the demo."""

    seed: int = 0
    pictures_per_emotion: int = Field(40, ge=4)
    size: int = Field(96, ge=32, description="pixels, short side")


REPOSITORY_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,94}[A-Za-z0-9])?$"


class RepositoryNames(Strict):
    """What the repositories are called; each is `<namespace>/<name>` on the Hub."""

    pretrain: str = Field("tinyemo-pretrain", pattern=REPOSITORY_NAME)
    finetune: str = Field("tinyemo-finetune", pattern=REPOSITORY_NAME)
    hq: str = Field("tinyemo-hq", pattern=REPOSITORY_NAME)
    projector: str = Field("tinyemo-projector", pattern=REPOSITORY_NAME)
    mm_llm: str = Field("tinyemo-mm-llm", pattern=REPOSITORY_NAME)


class HubSettings(Strict):
    """Staging and publishing. Staging is always safe; nothing leaves this machine unless `publish` is true."""

    namespace: str | None = Field(
        None, pattern=REPOSITORY_NAME, description="user or organisation on the Hub that publishes"
    )
    publish: bool = Field(False, description="send what was staged; false: stage it, for a person to look at")
    private: bool = Field(True, description="whether repositories and collection are made private")
    acknowledge_terms: bool = Field(
        False, description="true: somebody read the terms of whoever answered; they allow training on the answers"
    )
    features_override: bool = Field(
        False, description="publish picture features, too, of the datasets whose entry in licences.yaml lets you decide"
    )
    pull_request: bool = Field(False, description="open a pull request in place of a commit to main")
    tag: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="tag of the published commit")
    collection: str | None = Field("TinyEmo", description="title of the collection that groups them; null: none")
    repositories: RepositoryNames = RepositoryNames()


class Settings(BaseSettings):
    """All settings of a run. `load()` makes one from the profile and the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    name: str = Field("", description="what reports call this profile; default: the name of its file")
    raw: str = Field("data/raw", description="folder of the raw datasets, each in its distributed layout")
    store: str = Field("data/store", description="where everything that is made is kept: a path or any fsspec URL")
    ledger: str | None = Field(None, description="local file of the request ledger, where the store is remote")
    pictures: Literal["drawn", "real"] = "real"
    datasets: dict[str, DatasetSettings] = Field(description="the datasets of this profile")
    encoder: EncoderSettings
    language_model: str | None = Field(
        None, description="local directory in the Hugging Face layout, or a hub id; null: a small one made on the spot"
    )
    language_model_tokenizer: str | None = Field(
        None, description="directory or hub id of the tokenizer, where the model's has none (OpenELM)"
    )
    projector: ProjectorSettings
    evaluation: EvaluationSettings
    sample_corpus: SampleCorpusSettings = SampleCorpusSettings()
    synthesis: SynthesisSettings = SynthesisSettings()
    mm_llm: MMLLMSettings = MMLLMSettings()
    audit: AuditSettings = AuditSettings()
    hub: HubSettings = HubSettings()

    @model_validator(mode="after")
    def _combined_datasets_are_of_the_profile(self) -> Self:
        named = {
            "projector.train_on": self.projector.train_on,
            "evaluation.datasets": self.evaluation.datasets,
            "synthesis.datasets": self.synthesis.datasets,
            "audit.datasets": self.audit.datasets or [],
            **{f"synthesis.sets.{name}.datasets": one.datasets or [] for name, one in self.synthesis.sets.items()},
        }
        for key, names in named.items():
            for name in names:
                if name not in self.datasets:
                    hint = nearest(name, self.datasets)
                    raise ValueError(f"{key} names '{name}', which is not under datasets.{hint}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the profile, which `load` passes as initial values."""
        return env_settings, init_settings


def load(profile: str | None = None) -> Settings:
    """Read the profile (default: `TINYEMO_PROFILE`, else `demo`) and lay the environment over it.

    Raises SettingsError naming the file or variable, the key, and the key it may have meant.
    """
    name = profile or os.environ.get("TINYEMO_PROFILE") or "demo"
    path = find_profile(name)
    values = _read_yaml(path)
    _refuse_unknown_keys(values, Settings, str(path))
    _refuse_unknown_variables()
    if os.environ.get("TINYEMO_LANGUAGE_MODEL"):
        # The profile's tokenizer belongs to the profile's language model, not to another one.
        values.pop("language_model_tokenizer", None)
    try:
        return Settings(**{"name": path.stem, **values})
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"{path} (or TINYEMO_{where.upper().replace('.', '__')}): {where}: {first['msg']}; "
            f"found {first['input']!r}."
        ) from exc
    except EnvironmentValueError as exc:
        raise SettingsError(f'Environment: {exc}: a list is written as JSON, such as ["emotion6"].') from exc


def checked(group: type[Group], values: Mapping[str, Any]) -> Group:
    """Return a group of settings of values that were typed at launch. Raises SettingsError naming key and value."""
    try:
        return group.model_validate(values)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"Typed at launch: {where}: {first['msg']}; found {first['input']!r}.") from exc


def find_profile(name: str) -> Path:
    """Return the profile's file: a name in `profiles/`, or a path. Raises SettingsError where there is none."""
    known = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    if name in known:
        return PROFILES / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")):
        if Path(name).is_file():
            return Path(name)
        raise SettingsError(f"TINYEMO_PROFILE: there is no file {name}.")
    raise SettingsError(
        f"TINYEMO_PROFILE: there is no profile '{name}'.{nearest(name, known)} "
        f"Known: {', '.join(known)}; or give the path of a YAML file."
    )


def variables() -> dict[str, str]:
    """Return every `TINYEMO_*` variable of a plain setting with its description."""
    found = {"TINYEMO_PROFILE": "profile: a name in tinyemo_data/profiles/ or the path of a YAML file (default: demo)"}
    for key, description in _leaves(Settings):
        found[PREFIX + "__".join(key).upper()] = description
    return found


def _leaves(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, field in model.model_fields.items():
        inner = _inner_model(field.annotation)
        if inner is not None and get_origin(field.annotation) is not dict:
            yield from _leaves(inner, (*above, name))
        else:
            yield (*above, name), field.description or ""


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """Return the settings group that an annotation holds, be it plain, optional or the values of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (dict, Union, Annotated):
        for argument in get_args(annotation):
            found = _inner_model(argument)
            if found is not None:
                return found
    return None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path} is no YAML: {exc}") from exc
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: expected a mapping of settings, found {type(values).__name__}.")
    unnamed = [key for key in values if not isinstance(key, str)]
    if unnamed:
        raise SettingsError(f"{path}: a setting's name must be text; found {unnamed[0]!r}.")
    return values


def _refuse_unknown_keys(values: Mapping[str, Any], model: type[BaseModel], where: str, above: str = "") -> None:
    for key, value in values.items():
        field = model.model_fields.get(str(key))
        if field is None:
            raise SettingsError(
                f"{where}: there is no setting '{above}{key}'.{nearest(str(key), model.model_fields)} "
                f"Known here: {', '.join(model.model_fields)}."
            )
        inner = _inner_model(field.annotation)
        if inner is None or not isinstance(value, Mapping):
            continue
        if get_origin(field.annotation) is dict:
            for name, entry in value.items():
                if isinstance(entry, Mapping):
                    _refuse_unknown_keys(entry, inner, where, f"{above}{key}.{name}.")
        else:
            _refuse_unknown_keys(value, inner, where, f"{above}{key}.")


def _refuse_unknown_variables() -> None:
    known = set(variables()) | OTHER_VARIABLES
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            if name.upper().startswith(BY_NAME):
                continue
            raise SettingsError(f"Environment variable {name}: there is no such setting.{nearest(name.upper(), known)}")
