"""The provider's official client, which no other module imports: one call, its answer as text, and pauses between retries."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any

import mps_bill
from mps_bill.core.diagnostics import printable
from mps_bill.core.laws import BrokenLaw
from mps_bill.fetch.listings import Product
from mps_bill.fetch.paging import Answer, FetchFailed, Request, decoded

#: Seconds to wait before each further attempt, when the provider is busy.
PAUSES = (1, 2, 4, 8, 16, 30, 60)
_MAX_PAUSE = 120
_CONNECT_MS, _READ_MS = 10_000, 60_000

#: Codes of answers that are not errors.
_DONE = ("", "Success", "200", "OK")
_LATER = re.compile(r"Throttling|ServiceUnavailable|SystemBusy|InternalError", re.IGNORECASE)
_LATER_STATUS = (429, 500, 502, 503, 504)
#: When a signature is wrong, the provider's message repeats everything that was signed.
_SIGNED = re.compile(r"(string ?to ?sign|signature *[=:]|authorization *[=:]).*", re.IGNORECASE)
_LOGGERS = ("darabonba-core", "alibabacloud-tea")


class _Later(Exception):
    """The request may succeed later; `pause` is the number of seconds that the provider asks for."""

    def __init__(self, message: str, pause: int = 0) -> None:
        super().__init__(message)
        self.pause = pause


class Provider:
    """The provider, asked with the keys of its standard credential chain (environment, profiles, roles)."""

    def __init__(self, region: str, endpoint: str | None, notify: Callable[[str], None]) -> None:
        """`endpoint` is an address for all products, instead of those of the region; `notify` gets the reason of every pause.

        Raises:
            FetchFailed: the client is not installed, or there is no key.
        """
        try:
            from alibabacloud_credentials.client import Client as Credentials
            from alibabacloud_credentials.exceptions import CredentialException
            from alibabacloud_tea_openapi.client import Client
        except ImportError:
            message = 'fetch needs the provider\'s official client; run: pip install "mps-bill[cloud]"'
            raise FetchFailed(message) from None
        for name in _LOGGERS:
            # With DEBUG=sdk in the environment it would log every header, including the signature.
            logging.getLogger(name).disabled = True
        self._region, self._endpoint, self._notify = region, endpoint, notify
        self._client_class, self._clients = Client, dict[str, Any]()
        try:
            self._credentials = Credentials()
            self._key = self._credentials.get_credential()
        except (CredentialException, ValueError, OSError):
            raise FetchFailed(
                "no key was found; set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or a profile or"
                " role of the provider's standard credential chain"
            ) from None

    def endpoint(self, product: Product) -> str:
        """The address that requests are sent to, such as `https://mts.cn-shanghai.aliyuncs.com`."""
        return self._endpoint or product.endpoint(self._region)

    def ask(self, request: Request) -> Answer:
        """The answer to a request. Requests that are throttled, cut off or out of service are retried after growing pauses.

        Raises:
            FetchFailed: the provider refuses, with its code and message, or is still busy after the last pause.
        """
        for tries, pause in enumerate((*PAUSES, None), start=1):
            try:
                return self._checked(request, self._send(request))
            except _Later as later:
                if pause is None:
                    raise FetchFailed(f"{request}: {later}; tried {tries} times", resumable=True) from None
                wait = min(max(pause, later.pause), _MAX_PAUSE)
                self._notify(f"{request}: {later}; waiting {wait} s")
                time.sleep(wait)
        raise BrokenLaw("the last attempt either succeeds or ends the run")

    def _send(self, request: Request) -> str:
        from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
        from darabonba.runtime import RuntimeOptions
        from Tea.exceptions import TeaException

        product = request.listing.product
        params = Params(
            action=request.listing.action,
            version=product.version,
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            # As text, every number keeps the digits that were sent.
            body_type="string",
        )
        runtime = RuntimeOptions(connect_timeout=_CONNECT_MS, read_timeout=_READ_MS)
        try:
            # The keys of a role are renewed from time to time.
            self._key = self._credentials.get_credential()
            answer = self._client(self.endpoint(product)).call_api(
                params, OpenApiRequest(query=dict(request.parameters)), runtime
            )
        except TeaException as error:
            raise self._failure(request, error) from None
        return str(answer["body"])

    def _client(self, endpoint: str) -> Any:
        from alibabacloud_tea_openapi.utils_models import Config

        if endpoint not in self._clients:
            protocol, _, host = endpoint.partition("://")
            self._clients[endpoint] = self._client_class(
                Config(
                    credential=self._credentials,
                    protocol=protocol,
                    endpoint=host,
                    region_id=self._region,
                    user_agent=f"mps-bill/{mps_bill.__version__}",
                )
            )
        return self._clients[endpoint]

    def _failure(self, request: Request, error: Any) -> Exception:
        """The exception to raise for an error of the client."""
        inner = getattr(error, "inner_exception", None)
        status = getattr(error, "status_code", None)
        if "Credential" in type(inner or error).__name__:
            return FetchFailed(self._clean(f"{request} cannot be signed: {inner or error}"), resumable=True)
        if status is None:
            # The connection failed or was cut, or something in between, such as a proxy, answered instead of the provider.
            lost = type(inner).__name__ == "RetryError"
            return _Later("the connection failed or was cut" if lost else "the answer cannot be read")
        data = error.data if isinstance(error.data, dict) else {}
        message = data.get("Message") or data.get("message") or error.message
        return self._refusal(request, str(error.code), str(message), status, getattr(error, "retry_after", None))

    def _checked(self, request: Request, text: str) -> Answer:
        """The answer in a text, which may be an error even if the call succeeded."""
        try:
            value = decoded(text.removeprefix("\ufeff"))
        except ValueError:
            raise _Later("the answer is not a JSON object, or is incomplete") from None
        code, success = str(value.get("Code") or ""), value.get("Success")
        if str(success).casefold() == "false" or code not in _DONE:
            raise self._refusal(request, code, str(value.get("Message") or "no message"))
        if any(secret in text for secret in self._secrets()):
            raise FetchFailed(f"the answer to {request} contains a secret of the key; it is not written")
        return Answer(text, value)

    def _refusal(
        self, request: Request, code: str, message: str, status: int = 200, retry_after: int | None = None
    ) -> Exception:
        said = self._clean(f"{code}: {message}")
        if _LATER.match(code) or status in _LATER_STATUS:
            # The pause that it asks for is in milliseconds.
            return _Later(said, (int(retry_after or 0) + 999) // 1000)
        return FetchFailed(f"the provider refuses {request}: {said}", resumable=True)

    def _clean(self, text: str) -> str:
        """A message of the provider without anything that belongs to the key."""
        for secret in (*self._secrets(), self._key.access_key_id):
            if secret:
                text = text.replace(secret, "***")
        return printable(_SIGNED.sub(r"\1 ...", " ".join(text.split())))

    def _secrets(self) -> list[str]:
        return [secret for secret in (self._key.access_key_secret, self._key.security_token) if secret]
