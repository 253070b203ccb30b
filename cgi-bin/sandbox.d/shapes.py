"""The JSON shapes of Twilio's REST resources, with every property its OpenAPI
description names; null where the sandbox knows nothing."""

import re

import ground
import legs

CAPABILITIES = {"voice": True, "sms": True, "mms": True, "fax": False}


def camel(name):
    """friendly_name → FriendlyName"""
    return "".join(word.capitalize() for word in name.split("_"))


def formatted(number):
    """A number as Twilio writes it for people."""
    match = re.fullmatch(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})", number)
    return "({}) {}-{}".format(*match.groups()) if match else number


def account(network, base):
    """docs:iam/api/account, properties; the token stays unsaid."""
    created = ground.rfc2822(network.created_at)
    return {
        "sid": network.account_sid, "owner_account_sid": network.account_sid,
        "friendly_name": "sandbox", "status": "active", "type": "Full",
        "auth_token": None, "date_created": created, "date_updated": created,
        "uri": base + ".json", "subresource_uris": {
            name: f"{base}/{camel(name)}.json" for name in (
                "calls", "messages", "recordings", "incoming_phone_numbers",
                "available_phone_numbers")},
    }


def call(leg, base, number_sid):
    """docs:voice/api/call-resource, properties."""
    uri = f"{base}/Calls/{leg.sid}"
    status = "queued" if leg.status == "initiated" else leg.status
    return {
        "sid": leg.sid,
        "date_created": ground.rfc2822(leg.created_at),
        "date_updated": ground.rfc2822(
            leg.ended_at or leg.answered_at or leg.created_at),
        "parent_call_sid": leg.parent.sid if leg.parent else None,
        "account_sid": leg.call.exchange.account_sid,
        "to": leg.callee, "to_formatted": formatted(leg.callee),
        "from": leg.caller, "from_formatted": formatted(leg.caller),
        "phone_number_sid": number_sid,
        "status": status,
        "start_time": leg.answered_at and ground.rfc2822(leg.answered_at),
        "end_time": leg.ended_at and ground.rfc2822(leg.ended_at),
        "duration": str(leg.duration) if leg.ended else None,
        "price": None, "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": None,
        "api_version": legs.API_VERSION,
        "forwarded_from": None, "group_sid": None, "caller_name": None,
        "queue_time": "0", "trunk_sid": None,
        "uri": uri + ".json",
        "subresource_uris": {
            name: f"{uri}/{camel(name)}.json" for name in (
                "notifications", "recordings", "payments", "events", "siprec",
                "streams", "transcriptions",
                "user_defined_message_subscriptions", "user_defined_messages")},
    }


def message(text, base):
    """docs:messaging/api/message-resource, properties."""
    uri = f"{base}/Messages/{text.sid}"
    return {
        "body": text.body, "num_segments": str(text.segments()),
        "direction": text.direction, "from": text.sender, "to": text.receiver,
        "date_updated": ground.rfc2822(text.updated_at),
        "price": None, "error_message": None, "uri": uri + ".json",
        "account_sid": base.rpartition("/")[2],
        "num_media": str(len(text.media)), "status": text.status,
        "messaging_service_sid": None, "sid": text.sid,
        "date_sent": None if text.status == "queued"
        else ground.rfc2822(text.updated_at),
        "date_created": ground.rfc2822(text.created_at),
        "error_code": text.error_code, "price_unit": "USD",
        "api_version": legs.API_VERSION,
        "subresource_uris": {"media": uri + "/Media.json"},
    }


def number(owned, base):
    """docs:phone-numbers/api/incomingphonenumber-resource, properties."""
    return {
        **{name: value or None for name, value in owned.settings.items()},
        "sid": owned.sid, "account_sid": base.rpartition("/")[2],
        "phone_number": owned.number,
        "address_requirements": "none", "api_version": legs.API_VERSION,
        "beta": False, "capabilities": dict(CAPABILITIES),
        "date_created": ground.rfc2822(owned.created_at),
        "date_updated": ground.rfc2822(owned.updated_at),
        "origin": "twilio", "voice_receive_mode": "voice",
        "voice_caller_id_lookup": False,
        "emergency_status": "Inactive",
        "emergency_address_status": "unregistered",
        "status": "in-use", "type": "local",
        "uri": f"{base}/IncomingPhoneNumbers/{owned.sid}.json",
    }


def available(phone_number, region):
    """docs:phone-numbers/api/availablephonenumberlocal-resource."""
    return {
        "friendly_name": formatted(phone_number), "phone_number": phone_number,
        "lata": None, "locality": None, "rate_center": None, "latitude": None,
        "longitude": None, "region": region, "postal_code": None,
        "iso_country": "US", "address_requirements": "none", "beta": False,
        "capabilities": dict(CAPABILITIES),
    }


def recording(kept, base, media_url):
    """docs:voice/api/recording, properties."""
    uri = f"{base}/Recordings/{kept['sid']}"
    created = ground.rfc2822(kept["created_at"])
    return {
        "account_sid": base.rpartition("/")[2], "api_version": legs.API_VERSION,
        "call_sid": kept["call_sid"], "conference_sid": None,
        "date_created": created, "date_updated": created, "start_time": created,
        "duration": str(kept["duration"]), "sid": kept["sid"],
        "price": None, "price_unit": "USD", "status": kept["status"],
        "channels": kept["channels"], "source": kept["source"],
        "error_code": None,
        "uri": uri + ".json", "encryption_details": None,
        "subresource_uris": {
            "add_on_results": uri + "/AddOnResults.json",
            "transcriptions": uri + "/Transcriptions.json"},
        "media_url": media_url,
    }
