/* What people hear, in the languages there are. */

#include "say.h"

#include <stddef.h>
#include <string.h>

static const struct language {
	const char *name;
	const char *tag; /* for <Say> */
	const char *sentences[SAY__MAX];
} languages[] = {
	{ "en", "en-US",
	    {
		[SAY_NUMBER_UNKNOWN] =
		    "This number is not in service. Goodbye.",
		[SAY_WITHHELD] =
		    "We cannot see the number you are calling from. Please "
		    "call again with your number shown. Goodbye.",
		[SAY_UNKNOWN] =
		    "There is no trip for the phone you are calling from. "
		    "Please call from the phone number you gave in the app. "
		    "Goodbye.",
		[SAY_ENDED] =
		    "Your trip has ended, so this number no longer connects "
		    "you. Goodbye.",
		[SAY_DISPUTED] =
		    "The other phone cannot be reached by this number any "
		    "more. Please use the app. Goodbye.",
		[SAY_VOICE_OFF] =
		    "Calls are not possible on this trip. Goodbye.",
		[SAY_TOO_MANY] =
		    "There have been too many calls. Please try again later. "
		    "Goodbye.",
		[SAY_NOT_FROM_HERE] =
		    "The other phone cannot be called from here. Goodbye.",
		[SAY_ASK_CODE] =
		    "Please enter the six digit code that the app shows for "
		    "this trip.",
		[SAY_NO_CODE] = "There is no trip for this call. Goodbye.",
		[SAY_SCREEN] =
		    "You have a call about your trip. To take it, press 1. "
		    "If you do not know of any trip, press 9.",
		[SAY_THANKS] =
		    "Thank you. You will not be called about it again. "
		    "Goodbye.",
		[SAY_CONNECTING] = "Connecting your call.",
		[SAY_BUSY] =
		    "The line is busy. Please try again later. Goodbye.",
		[SAY_NO_ANSWER] =
		    "There is no answer. Please try again later. Goodbye.",
		[SAY_FAILED] = "The call could not be connected. Goodbye.",
		[SAY_TEXT_ENDED] =
		    "Your trip has ended, so this number passes on no more "
		    "texts.",
		[SAY_TEXT_DISPUTED] =
		    "The other phone cannot be reached by this number any "
		    "more. Please use the app.",
		[SAY_TEXT_OFF] =
		    "Texts are not possible on this trip. Yours was not "
		    "passed on.",
		[SAY_TEXT_TOO_MANY] =
		    "Your text was not passed on: there have been too many. "
		    "Please wait a minute.",
		[SAY_TEXT_NOT_FROM_HERE] =
		    "The other phone cannot be texted from here.",
	    } },
	{ "de", "de-DE",
	    {
		[SAY_NUMBER_UNKNOWN] =
		    "Diese Nummer ist nicht vergeben. Auf Wiederhören.",
		[SAY_WITHHELD] =
		    "Wir sehen nicht, von welcher Nummer Sie anrufen. Bitte "
		    "rufen Sie mit sichtbarer Nummer an. Auf Wiederhören.",
		[SAY_UNKNOWN] =
		    "Zu Ihrer Telefonnummer gibt es keine Fahrt. Bitte rufen "
		    "Sie von der Nummer an, die Sie in der App angegeben "
		    "haben. Auf Wiederhören.",
		[SAY_ENDED] =
		    "Ihre Fahrt ist beendet, diese Nummer verbindet Sie nicht "
		    "mehr. Auf Wiederhören.",
		[SAY_DISPUTED] =
		    "Das andere Telefon ist unter dieser Nummer nicht mehr "
		    "erreichbar. Bitte nutzen Sie die App. Auf Wiederhören.",
		[SAY_VOICE_OFF] =
		    "Bei dieser Fahrt sind Anrufe nicht möglich. Auf "
		    "Wiederhören.",
		[SAY_TOO_MANY] =
		    "Es waren zu viele Anrufe. Bitte versuchen Sie es später "
		    "noch einmal. Auf Wiederhören.",
		[SAY_NOT_FROM_HERE] =
		    "Das andere Telefon kann von hier nicht angerufen werden. "
		    "Auf Wiederhören.",
		[SAY_ASK_CODE] =
		    "Bitte geben Sie den sechsstelligen Code ein, den die App "
		    "für diese Fahrt anzeigt.",
		[SAY_NO_CODE] =
		    "Zu diesem Anruf gibt es keine Fahrt. Auf Wiederhören.",
		[SAY_SCREEN] =
		    "Sie haben einen Anruf zu Ihrer Fahrt. Um ihn anzunehmen, "
		    "drücken Sie die 1. Wenn Sie von keiner Fahrt wissen, "
		    "drücken Sie die 9.",
		[SAY_THANKS] =
		    "Danke. Sie werden deswegen nicht mehr angerufen. Auf "
		    "Wiederhören.",
		[SAY_CONNECTING] = "Sie werden verbunden.",
		[SAY_BUSY] =
		    "Der Anschluss ist besetzt. Bitte versuchen Sie es später "
		    "noch einmal. Auf Wiederhören.",
		[SAY_NO_ANSWER] =
		    "Niemand hebt ab. Bitte versuchen Sie es später noch "
		    "einmal. Auf Wiederhören.",
		[SAY_FAILED] = "Der Anruf kam nicht zustande. Auf Wiederhören.",
		[SAY_TEXT_ENDED] =
		    "Ihre Fahrt ist beendet, diese Nummer leitet keine "
		    "Nachrichten mehr weiter.",
		[SAY_TEXT_DISPUTED] =
		    "Das andere Telefon ist unter dieser Nummer nicht mehr "
		    "erreichbar. Bitte nutzen Sie die App.",
		[SAY_TEXT_OFF] =
		    "Bei dieser Fahrt sind Nachrichten nicht möglich. Ihre "
		    "wurde nicht weitergeleitet.",
		[SAY_TEXT_TOO_MANY] =
		    "Ihre Nachricht wurde nicht weitergeleitet: es waren zu "
		    "viele. Bitte warten Sie eine Minute.",
		[SAY_TEXT_NOT_FROM_HERE] =
		    "An das andere Telefon kann von hier nicht geschrieben "
		    "werden.",
	    } },
	{ "fr", "fr-FR",
	    {
		[SAY_NUMBER_UNKNOWN] =
		    "Ce numéro n'est pas en service. Au revoir.",
		[SAY_WITHHELD] =
		    "Nous ne voyons pas le numéro d'où vous appelez. Veuillez "
		    "rappeler en affichant votre numéro. Au revoir.",
		[SAY_UNKNOWN] =
		    "Il n'y a pas de course pour votre téléphone. Veuillez "
		    "appeler du numéro donné dans l'application. Au revoir.",
		[SAY_ENDED] =
		    "Votre course est terminée, ce numéro ne vous met plus en "
		    "relation. Au revoir.",
		[SAY_DISPUTED] =
		    "L'autre téléphone n'est plus joignable à ce numéro. "
		    "Veuillez utiliser l'application. Au revoir.",
		[SAY_VOICE_OFF] =
		    "Les appels ne sont pas possibles pour cette course. Au "
		    "revoir.",
		[SAY_TOO_MANY] =
		    "Il y a eu trop d'appels. Veuillez réessayer plus tard. "
		    "Au revoir.",
		[SAY_NOT_FROM_HERE] =
		    "L'autre téléphone ne peut pas être appelé d'ici. Au "
		    "revoir.",
		[SAY_ASK_CODE] =
		    "Veuillez saisir le code à six chiffres que l'application "
		    "affiche pour cette course.",
		[SAY_NO_CODE] =
		    "Il n'y a pas de course pour cet appel. Au revoir.",
		[SAY_SCREEN] =
		    "Vous avez un appel au sujet de votre course. Pour le "
		    "prendre, tapez 1. Si vous n'avez pas de course, tapez 9.",
		[SAY_THANKS] =
		    "Merci. On ne vous appellera plus à ce sujet. Au revoir.",
		[SAY_CONNECTING] = "Nous vous mettons en relation.",
		[SAY_BUSY] =
		    "La ligne est occupée. Veuillez réessayer plus tard. Au "
		    "revoir.",
		[SAY_NO_ANSWER] =
		    "Personne ne répond. Veuillez réessayer plus tard. Au "
		    "revoir.",
		[SAY_FAILED] = "L'appel n'a pas pu aboutir. Au revoir.",
		[SAY_TEXT_ENDED] =
		    "Votre course est terminée, ce numéro ne transmet plus de "
		    "messages.",
		[SAY_TEXT_DISPUTED] =
		    "L'autre téléphone n'est plus joignable à ce numéro. "
		    "Veuillez utiliser l'application.",
		[SAY_TEXT_OFF] =
		    "Les messages ne sont pas possibles pour cette course: "
		    "il n'a pas été transmis.",
		[SAY_TEXT_TOO_MANY] =
		    "Votre message n'a pas été transmis: il y en a eu trop. "
		    "Veuillez attendre une minute.",
		[SAY_TEXT_NOT_FROM_HERE] =
		    "On ne peut pas écrire d'ici à l'autre téléphone.",
	    } },
};

static const struct language *
find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof languages / sizeof languages[0]; i++)
		if (strcmp(languages[i].name, name) == 0)
			return &languages[i];
	return NULL;
}

const char *
say(enum say_sentence sentence, const char *language)
{
	const struct language *found = find(language);

	return (found != NULL ? found : languages)->sentences[sentence];
}

const char *
say_reason(enum policy_reason reason, const char *language)
{
	static const enum say_sentence sentences[POLICY__MAX] = {
		[POLICY_NUMBER_UNKNOWN] = SAY_NUMBER_UNKNOWN,
		[POLICY_CALLER_WITHHELD] = SAY_WITHHELD,
		[POLICY_CALLER_UNKNOWN] = SAY_UNKNOWN,
		[POLICY_ATTESTATION_FAILED] = SAY_UNKNOWN,
		[POLICY_SESSION_IS_CLOSED] = SAY_ENDED,
		[POLICY_SESSION_IS_EXPIRED] = SAY_ENDED,
		[POLICY_PARTY_REPLACED] = SAY_ENDED,
		[POLICY_PARTY_DISPUTED] = SAY_DISPUTED,
		[POLICY_VOICE_OFF] = SAY_VOICE_OFF,
		[POLICY_SESSION_LIMIT] = SAY_TOO_MANY,
		[POLICY_PERSON_LIMIT] = SAY_TOO_MANY,
		[POLICY_SERVICE_LIMIT] = SAY_TOO_MANY,
		[POLICY_COUNTRY_LIMIT] = SAY_NOT_FROM_HERE,
	};

	if (reason == POLICY_CONNECTED || reason == POLICY_CONNECTED_BY_CODE ||
	    reason == POLICY_CONNECTED_BY_INTENT || reason == POLICY_RELAYED)
		return "";
	return say(sentences[reason], language);
}

const char *
say_text(enum policy_reason reason, const char *language)
{
	switch (reason) {
	case POLICY_SESSION_IS_CLOSED:
	case POLICY_SESSION_IS_EXPIRED:
	case POLICY_PARTY_REPLACED:
		return say(SAY_TEXT_ENDED, language);
	case POLICY_PARTY_DISPUTED:
		return say(SAY_TEXT_DISPUTED, language);
	case POLICY_TEXT_OFF:
		return say(SAY_TEXT_OFF, language);
	case POLICY_PERSON_LIMIT:
		return say(SAY_TEXT_TOO_MANY, language);
	case POLICY_COUNTRY_LIMIT:
		return say(SAY_TEXT_NOT_FROM_HERE, language);
	default:
		return "";
	}
}

const char *
say_tag(const char *language)
{
	const struct language *found = find(language);

	return found != NULL ? found->tag : NULL;
}
