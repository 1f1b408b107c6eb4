"""What a call to AWS may raise, for those who carry on without its answer."""

from botocore.exceptions import BotoCoreError, ClientError

# Refused by the service; or not reached, timed out, without credentials.
AWS_CALL_ERRORS = (ClientError, BotoCoreError)
