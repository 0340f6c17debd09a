"""The error tree: every failure has a stable code and one sentence that says what to do."""

from typing import ClassVar, Self


class AppError(Exception):
    """Something went wrong that we did not foresee; the log has the details under this id."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    """Whether the same work may succeed later without anybody changing anything."""
    outage: ClassVar[bool] = False
    """Whether something outside the document is down: then time is the budget, not attempts."""

    def __init__(self, detail: str | None = None, *, retry_after_s: float | None = None) -> None:
        """Keep the sentence for people: `detail`, or the first line of the class docstring.

        Args:
            detail: one sentence, without secrets or document text.
            retry_after_s: how long the other side asked us to wait, in seconds.
        """
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.retry_after_s = retry_after_s
        super().__init__(self.detail)


class SettingsError(AppError):
    """A setting is wrong; correct the named variable and start again."""

    code = "invalid_settings"


class InvalidInputError(AppError):
    """The request is not valid; correct it and send it again."""

    code = "invalid_input"


class InvalidDocumentIdError(InvalidInputError):
    """A doc_id starts with a letter or digit and has at most 128 letters, digits or . _ : @ + -."""

    code = "invalid_doc_id"


class InvalidWorkspaceNameError(InvalidInputError):
    """A workspace name has 1 to 40 characters of a-z, 0-9 and _ and does not end in __g<number>."""

    code = "invalid_workspace"


class IdempotencyKeyReusedError(InvalidInputError):
    """This Idempotency-Key was used for another upload; send a new key with a new upload."""

    code = "idempotency_key_reused"


class UploadTooLargeError(InvalidInputError):
    """The file is larger than this server accepts; split it or raise MAX_UPLOAD_BYTES."""

    code = "upload_too_large"


class NotFoundError(AppError):
    """There is nothing under this name."""

    code = "not_found"


class WorkspaceNotFoundError(NotFoundError):
    """No such workspace; create it with POST /workspaces."""

    code = "workspace_not_found"

    @classmethod
    def of(cls, name: str) -> Self:
        """Name the workspace that is not there."""
        return cls(f"There is no workspace {name}; `ragfleet workspaces create {name}` makes one.")


class DocumentNotFoundError(NotFoundError):
    """No such document in this workspace; GET /documents lists what there is."""

    code = "document_not_found"


class TaskNotFoundError(NotFoundError):
    """No such task; tasks are kept for TASK_RETENTION_DAYS after they end."""

    code = "task_not_found"


class ObjectNotFoundError(NotFoundError):
    """The uploaded bytes are gone; upload the document again."""

    code = "object_not_found"


class ConflictError(AppError):
    """The thing is in a state that does not allow this."""

    code = "conflict"


class WorkspaceExistsError(ConflictError):
    """A workspace of this name exists already."""

    code = "workspace_exists"


class TaskNotCancellableError(ConflictError):
    """The task is being committed or has ended and cannot be cancelled; delete the document."""

    code = "task_not_cancellable"


class TaskNotRetryableError(ConflictError):
    """Only failed or cancelled tasks of a document's latest revision can be retried."""

    code = "task_not_retryable"


class EmbeddingMismatchError(ConflictError):
    """The workspace was filled with another embedding model or dimension; use that one."""

    code = "embedding_mismatch"


class GraphDuplicatesError(ConflictError):
    """The graph holds entities more than once; `ragfleet repair duplicates` merges them."""

    code = "graph_duplicates"
    # No document's fault: those that come meanwhile go on once the graph is repaired.
    retryable = True
    outage = True


class WorkspaceBusyError(ConflictError):
    """Something is writing into this workspace; wait until it is done and try again."""

    code = "workspace_busy"


class UnavailableError(AppError):
    """Something this request needs is not reachable right now; try again shortly."""

    code = "unavailable"
    retryable = True
    outage = True


class LedgerUnavailableError(UnavailableError):
    """The ledger database is not reachable; nothing was changed, try again shortly."""

    code = "ledger_unavailable"


class LedgerRefusedError(LedgerUnavailableError):
    """The ledger database does not let us in; check POSTGRES_USER, _PASSWORD, _DB and _SSLMODE."""

    code = "ledger_refused"


class LedgerTlsError(LedgerUnavailableError):
    """The ledger database's TLS is not as settings say; check POSTGRES_HOST and _SSLMODE."""

    code = "ledger_tls"


class JournalRemovedError(UnavailableError):
    """A journal was removed while it was read; the commit is tried again."""

    code = "journal_removed"


class ObjectStoreUnavailableError(UnavailableError):
    """The upload store is full or not reachable; nothing was kept, try again shortly."""

    code = "object_store_unavailable"


class ObjectStoreRefusedError(ObjectStoreUnavailableError):
    """The object store does not let us in; check the AWS credentials and what they may do."""

    code = "object_store_refused"


class ObjectStoreMissingError(ObjectStoreUnavailableError):
    """There is no such bucket; create it, or correct S3_BUCKET, S3_REGION or S3_ENDPOINT_URL."""

    code = "object_store_missing"


class QueueUnavailableError(UnavailableError):
    """The message broker is not reachable; accepted work waits in the ledger."""

    code = "queue_unavailable"


class QueueRefusedError(QueueUnavailableError):
    """The message broker does not let us in; check BROKER_URL or REDIS_PASSWORD."""

    code = "queue_refused"


class QueueTlsError(QueueUnavailableError):
    """The message broker's TLS is not as settings say; check BROKER_URL or REDIS_SSL."""

    code = "queue_tls"


class StoreUnavailableError(UnavailableError):
    """A LightRAG store is not reachable right now; try again shortly."""

    code = "store_unavailable"


class StoreRefusedError(StoreUnavailableError):
    """A LightRAG store does not let us in; check its user, its password and its database."""

    code = "store_refused"


class StoreTlsError(StoreUnavailableError):
    """A LightRAG store's TLS is not as settings say; check its host name and its authorities."""

    code = "store_tls"


class ExtensionMissingError(StoreRefusedError):
    """The database lacks pgvector; let an administrator run CREATE EXTENSION vector in it."""

    code = "extension_missing"


class RedisClusterError(StoreRefusedError):
    """Redis runs in cluster mode, where scripts cannot write what they must; use one without."""

    code = "redis_cluster"


class ModelUnavailableError(UnavailableError):
    """The model endpoint is not reachable or overloaded; the work goes on when it is back."""

    code = "model_unavailable"


class ModelTooSlowError(ModelUnavailableError):
    """The model endpoint did not answer in time; the work goes on when it does."""


class ModelRateLimitedError(ModelUnavailableError):
    """The model endpoint limits our rate; the work goes on when it allows more."""

    code = "model_rate_limited"


class ModelUnauthorizedError(ModelUnavailableError):
    """The model endpoint refuses our key; correct LLM_API_KEY or EMBEDDING_API_KEY and restart."""

    code = "model_unauthorized"


class ModelReplyUnusableError(AppError):
    """The model's reply was empty, far too large or did not fit the question; it is asked again."""

    code = "model_reply_unusable"
    retryable = True


class ModelRefusedError(AppError):
    """The model endpoint refused the request; check LLM_MODEL, LLM_API_KEY and EMBEDDING_MODEL."""

    code = "model_refused"


class EmbeddingDimensionError(ModelRefusedError):
    """The embedding model's vectors have another length than EMBEDDING_DIM; correct one of them."""

    code = "embedding_dimension"


class AttemptsExhaustedError(AppError):
    """Given up after MAX_ATTEMPTS or RETRY_BUDGET_HOURS of an outage; see the last error; retry."""

    code = "attempts_exhausted"


class DeadlineExceededError(AppError):
    """The stage took longer than its deadline; it is tried again."""

    code = "deadline_exceeded"
    retryable = True


class StageInterruptedError(AppError):
    """The worker was stopped in the middle of this stage; another one takes it up."""

    code = "stage_interrupted"
    retryable = True
